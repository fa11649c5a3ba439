"""Teachers for a run, from Studio's shelf: who may teach, and what does not fit, said before the
run begins.

A request names a teacher as the shelf does, and nothing else is ever looked for. The recipe that
`vitral train` reads, in a process that knows no shelf, says where that model is.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from vitral.errors import VitralError
from vitral.studio.shelf import Shelf
from vitral.training.recipes.mistakes import Mistake
from vitral.training.recipes.recipe import ObjectiveName, Phase, Recipe

_LEARNED: dict[tuple[str, ...], ObjectiveName] = {
    ("ForCausalLM", "LMHeadModel", "RecurrentLanguageModel"): "next_token",
    ("ForMaskedLM", "ForPreTraining"): "masked_words",
}
"""What architectures whose names end so have learned."""


def teachers_on(shelf: Shelf) -> dict[str, ObjectiveName]:
    """The models that give probabilities for tokens, by name, with what they have learned."""
    return {
        description.name: learned
        for description in shelf.descriptions("en")
        for endings, learned in _LEARNED.items()
        if description.architecture.endswith(endings)
    }


def unknown(settings: Mapping[str, Any], shelf: Shelf) -> Iterator[Mistake]:
    """A mistake for each teacher that is not on the shelf."""
    for path, value in settings.items():
        is_named = path.endswith(".teacher.model") and isinstance(value, str)
        if is_named and value not in shelf.names:
            yield Mistake(path[:100], "teacher_unknown", {"model": value[:200]})


def misfits(recipe: Recipe, shelf: Shelf) -> Iterator[Mistake]:
    """A mistake for each teacher, all of them on the shelf, from whom that run cannot learn."""
    learned = teachers_on(shelf)
    contexts = {each.name: each.context for each in shelf.descriptions("en")}
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
            if not _may_share_tokens(recipe, model, shelf):
                yield Mistake(path, "teacher_words", {"model": model})
        except VitralError as error:
            yield Mistake(path, "contradiction", {"reason": error.text})


def _may_share_tokens(recipe: Recipe, model: str, shelf: Shelf) -> bool:
    """Whether the run may cut text as its teacher does. Before the text is read, all is known of
    bytes and of a teacher's tokens; of those that are learned, how many there will be. The rest is
    seen when the run begins (`vitral.training.preparation.teachers`)."""
    from vitral.text.tokenizers import train_tokenizer
    from vitral.training.preparation.teachers import teachers_of, tokenizer_of

    theirs = tokenizer_of(shelf.source(model))
    kind, size = recipe.tokenizer.kind, recipe.tokenizer.vocab_size
    if kind == "teacher":
        first = tokenizer_of(shelf.source(teachers_of(recipe)[0]))
        return first.get_vocab() == theirs.get_vocab()
    if kind == "byte":
        return train_tokenizer([], kind, size).get_vocab() == theirs.get_vocab()
    found = theirs.get_vocab_size()
    return found <= size if kind == "character" else found == size


def found_on(shelf: Shelf, recipe: Recipe) -> Recipe:
    """The recipe with each teacher by where it is, in place of its name on the shelf."""
    phases = [_found(phase, shelf) for phase in recipe.phases]
    return recipe.model_copy(update={"phases": phases})


def _found(phase: Phase, shelf: Shelf) -> Phase:
    if phase.teacher is None:
        return phase
    teacher = phase.teacher.model_copy(update={"model": shelf.source(phase.teacher.model)})
    return phase.model_copy(update={"teacher": teacher})
