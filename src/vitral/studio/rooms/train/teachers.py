"""Teachers for a run, from Studio's catalog: which models can teach, and which mistakes are found
before the run starts.

A request names a teacher by its name in the catalog; no other place is searched. The recipe that
`vitral train` reads, in a process without a catalog, has the model's folder or hub id.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from vitral.errors import VitralError
from vitral.models.forms import form_of_folder
from vitral.studio.catalog.model_catalog import ModelCatalog
from vitral.training.recipes.mistakes import Mistake
from vitral.training.recipes.recipe import ObjectiveName, Phase, Recipe, objective_of

_LEARNED: dict[tuple[str, ...], ObjectiveName] = {
    ("ForCausalLM", "LMHeadModel"): "next_token",
    ("ForMaskedLM", "ForPreTraining"): "masked_words",
}
"""What architectures whose names end so have learned; our own forms say it themselves."""


def teachers_in(catalog: ModelCatalog) -> dict[str, ObjectiveName]:
    """The models that give probabilities for tokens, by name, with what they have learned."""
    learned = {each.name: _learned(each.architecture) for each in catalog.descriptions("en")}
    return {name: objective for name, objective in learned.items() if objective is not None}


def _learned(architecture: str) -> ObjectiveName | None:
    form = form_of_folder(architecture)
    if form is not None:
        return objective_of(form.name) if form.kind != "encoder-decoder" else None
    known = (learned for ends, learned in _LEARNED.items() if architecture.endswith(ends))
    return next(known, None)


def unknown(settings: Mapping[str, Any], catalog: ModelCatalog) -> Iterator[Mistake]:
    """A mistake for each teacher that is not in the catalog."""
    for path, value in settings.items():
        is_named = path.endswith(".teacher.model") and isinstance(value, str)
        if is_named and value not in catalog.names:
            yield Mistake(path[:100], "teacher_unknown", {"model": value[:200]})


def misfits(recipe: Recipe, catalog: ModelCatalog) -> Iterator[Mistake]:
    """A mistake for each teacher, all of them in the catalog, from which that run cannot learn."""
    learned = teachers_in(catalog)
    contexts = {each.name: each.context for each in catalog.descriptions("en")}
    longest = max(recipe.batch.lengths)
    for number, phase in enumerate(recipe.phases):
        if phase.teacher is None:
            continue
        path, model = f"phases.{number}.teacher.model", phase.teacher.model
        context = contexts[model]
        if learned.get(model) != phase.objective:
            values = {"model": model, "objective": phase.objective}
            yield Mistake(path, "teacher_objective", values)
            continue
        if context is not None and context < longest:
            sizes = {"model": model, "context": context, "longest": longest}
            yield Mistake(path, "teacher_of_short_texts", sizes)
        try:
            if not _may_share_tokens(recipe, model, catalog):
                yield Mistake(path, "teacher_words", {"model": model})
        except VitralError as error:
            yield Mistake(path, "contradiction", {"reason": error.text})


def _may_share_tokens(recipe: Recipe, model: str, catalog: ModelCatalog) -> bool:
    """Whether the run may cut text as its teacher does. Before the text is read, all is known of
    bytes and of a teacher's tokens; of those that are learned, how many there will be. The rest is
    seen when the run begins (`vitral.training.preparation.teachers`)."""
    from vitral.text.tokenizers import train_tokenizer
    from vitral.training.preparation.teachers import teachers_of, tokenizer_of

    theirs = tokenizer_of(catalog.source(model))
    kind, size = recipe.tokenizer.kind, recipe.tokenizer.vocab_size
    if kind == "teacher":
        first = tokenizer_of(catalog.source(teachers_of(recipe)[0]))
        return first.get_vocab() == theirs.get_vocab()
    if kind == "byte":
        return train_tokenizer([], kind, size).get_vocab() == theirs.get_vocab()
    found = theirs.get_vocab_size()
    return found <= size if kind == "character" else found == size


def located_in(catalog: ModelCatalog, recipe: Recipe) -> Recipe:
    """The recipe with each teacher by where it is, in place of its name in the catalog."""
    phases = [_found(phase, catalog) for phase in recipe.phases]
    return recipe.model_copy(update={"phases": phases})


def _found(phase: Phase, catalog: ModelCatalog) -> Phase:
    if phase.teacher is None:
        return phase
    teacher = phase.teacher.model_copy(update={"model": catalog.source(phase.teacher.model)})
    return phase.model_copy(update={"teacher": teacher})
