"""A recipe: everything that decides how a training run comes out, in one YAML file.

The same definition checks the file, gives the command line its flags and the browser its form.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from vitral.models.forms import form_named
from vitral.models.shape import Depth, Places, Strict
from vitral.training.recipes.mistakes import ContradictionError, Mistake
from vitral.training.recipes.shapes import (
    DECODERS,
    ENCODERS,
    GROWING,
    TRANSLATORS,
    WATCHED,
    Shape,
)

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, le=1_000)]
Steps = Annotated[int, Field(ge=1, le=1_000_000_000)]
Minutes = Annotated[float, Field(gt=0, le=1_000_000)]

TokenizerKind = Literal[
    "character", "word", "byte", "bpe", "byte_bpe", "wordpiece", "unigram", "teacher"
]
ObjectiveName = Literal["next_token", "masked_words", "sequence_to_sequence"]


RENAMED = {"company_vectors": "co_occurrence_vectors"}
"""Names of entries in recipes and run folders of earlier versions, and their names now."""


def with_current_names(entries: dict[str, Any]) -> dict[str, Any]:
    """The entries of a recipe with current names, unless it has both: then the old one is
    unknown."""
    old = {name: new for name, new in RENAMED.items() if name in entries and new not in entries}
    return {old.get(name, name): value for name, value in entries.items()}


class TokenizerChoice(Strict):
    """How the text is cut into tokens; learned from the training text, or taken from the model
    that the run starts from. `teacher` takes the phases' teacher's, which a run has to share with
    it. `character`, `byte` and `teacher` need no size. With a `folder` its tokenizer is taken,
    whatever its kind.

    With a `transfer` these tokens replace those of the model that the run starts from
    (`vocabulary_transfer`): `mean` starts each new vector from those of the old pieces that spell
    it."""

    kind: TokenizerKind = "byte_bpe"
    vocab_size: Annotated[int, Field(gt=0, le=1_000_000)] = 8192
    folder: str | None = None
    transfer: Literal["mean"] | None = None


class GeneratedPairs(Strict):
    """Pairs that a rule makes: whole numbers of 1 to `digits` digits, each length as often as
    another, or dates, and how Spanish says them. `count` of them are made, the short numbers
    many times."""

    generated: Annotated[
        list[Literal["spanish_numbers", "spanish_dates"]], Field(min_length=1, max_length=2)
    ]
    digits: Annotated[int, Field(ge=1, le=12)] = 9
    count: Annotated[int, Field(ge=100, le=100_000_000)] = 200_000


class DataChoice(Strict):
    """How the corpus is read. `held_out` names documents, or is the share of the text that is
    never trained on. After each document stands the mark that ends a text; without `ends`,
    documents follow each other as if they were one. `windows` start where a sentence starts, or
    anywhere; or whole documents are packed side by side, none of them seeing another.

    Models that turn one text into another read pairs instead, from files or, with `pairs`, made
    by a rule."""

    cleaning: Literal["prose", "plain"] = "prose"
    text_field: str = "text"
    held_out: list[str] | Annotated[float, Field(gt=0, lt=1)] = 0.1
    windows: Literal["sentence", "anywhere", "packed"] = "sentence"
    ends: bool = True
    pairs: GeneratedPairs | None = None


class Batch(Strict):
    """How much is read before each step of the optimiser: so many tokens, in windows of one of
    the `lengths` (drawn for each step), or in pairs of about one length. With several `parts`
    the step's gradient is accumulated from as many passes, which needs less memory and gives the
    same step."""

    tokens: Steps = 4096
    lengths: Annotated[list[Places], Field(min_length=1)] = Field(default=[64, 256])
    parts: Places = 1


class Teacher(Strict):
    """A trained model to learn from as well: the `share` of the loss that is its distribution
    at this `temperature` (Hinton et al. 2015)."""

    model: str
    share: Share = 0.5
    temperature: Annotated[float, Field(ge=0.001, le=1_000)] = 2.0


class Phase(Strict):
    """What is learned until the share `until` of the run is over, in a model of `num_layers`:
    fewer than the recipe's are a first part of it, which gains layers afterwards.

    Of the tokens chosen to be masked, one in five is shown as it is or as another, so that a
    model learns to attend to words that are there; with `all_masked` all of them are masked."""

    objective: ObjectiveName
    until: Annotated[float, Field(gt=0, le=1)] = 1.0
    num_layers: Depth | None = None
    mask_share: Annotated[float, Field(gt=0, lt=1)] = 0.15
    all_masked: bool = False
    teacher: Teacher | None = None


class OptimizerChoice(Strict):
    """How gradients become steps. `rate` is the full learning rate, by default one that suits
    the kind. Muon moves the matrices inside the blocks; AdamW, at `vector_rate`, the rest."""

    kind: Literal["sgd", "momentum", "rmsprop", "adagrad", "adam", "adamw", "muon"] = "muon"
    rate: Positive | None = None
    vector_rate: Positive = 0.003
    weight_decay: Annotated[float, Field(ge=0, le=1_000)] = 0.05
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.95
    betas: Annotated[tuple[Share, Share], Field(strict=False)] = (0.9, 0.98)  # a list, in YAML
    clip: Positive | None = 1.0


class ScheduleChoice(Strict):
    """How the learning rate goes up and down; shares of the run. `final` is the share of the
    full rate that is left at its end."""

    kind: Literal["constant", "cosine", "one_cycle", "stable_decay"] = "stable_decay"
    warm_up: Share = 0.01
    decay_from: Share = 0.1
    final: Share = 0.0


class Recipe(Strict):
    """One training run. Its length is a number of `steps` or of `minutes` of computing (a stop
    does not count). With `steps`, a run that was stopped and taken up again ends bit for bit
    like one that was not. An evaluation reads `evaluate_characters` of held-out text at most."""

    name: Annotated[str, Field(min_length=1)]
    model: Shape
    tokenizer: TokenizerChoice = TokenizerChoice()
    data: DataChoice = DataChoice()
    batch: Batch = Batch()
    phases: list[Phase] = Field(default=[])
    optimizer: OptimizerChoice = OptimizerChoice()
    schedule: ScheduleChoice = ScheduleChoice()
    minutes: Minutes | None = None
    steps: Steps | None = None
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    recompute_activations: bool = False
    co_occurrence_vectors: bool = True
    seed: Annotated[int, Field(ge=0, le=2**53 - 1)] = 1605
    evaluate_every: Steps = 100
    evaluate_characters: Annotated[int, Field(ge=1_000, le=1_000_000_000)] = 400_000
    checkpoint_minutes: Annotated[float, Field(ge=0, le=1_000_000)] = 5.0
    patience: Places | None = None
    sample: str | None = None
    watch: Annotated[str, Field(min_length=1, max_length=500)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_phase_by_default(cls, entries: Any) -> Any:
        """Without phases, the whole run is the objective that the model's form is made for."""
        if isinstance(entries, dict):
            entries = with_current_names(entries)
        if isinstance(entries, dict) and not entries.get("phases"):
            model = entries.get("model")
            form = model.get("form") if isinstance(model, dict) else getattr(model, "form", None)
            return {**entries, "phases": [{"objective": objective_of(str(form))}]}
        return entries

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "Recipe":
        """Raises `ContradictionError` with all contradictions."""
        wrong = list(_contradictions(self))
        if wrong:
            raise ContradictionError(*wrong)
        return self

    @property
    def end(self) -> float:
        """The run's length in its own unit: steps or minutes."""
        length = self.steps if self.steps is not None else self.minutes
        assert length is not None
        return float(length)


def objective_of(form: str) -> ObjectiveName:
    """What a model of that form is made for."""
    if form in DECODERS:
        return "next_token"
    return "masked_words" if form in ENCODERS else "sequence_to_sequence"


def _contradictions(recipe: Recipe) -> Iterator[Mistake]:
    if (recipe.minutes is None) == (recipe.steps is None):
        yield Mistake("steps", "one_length", others=("minutes",))
    if recipe.model.form in TRANSLATORS:
        yield from _wrong_pairs(recipe)
    else:
        yield from _wrong_windows(recipe)
    yield from _wrong_phases(recipe)
    if recipe.tokenizer.kind == "teacher" and all(each.teacher is None for each in recipe.phases):
        yield Mistake("tokenizer.kind", "nobodys_tokens", others=("phases",))
    if recipe.recompute_activations and not form_named(recipe.model.form).recomputes:
        said = {"form": recipe.model.form}
        yield Mistake("recompute_activations", "no_recomputing", said, others=("model.form",))
    if recipe.watch is not None and recipe.model.form not in WATCHED:
        said = {"form": recipe.model.form}
        yield Mistake("watch", "no_watching", said, others=("model.form",))
    schedule = recipe.schedule
    if schedule.kind == "stable_decay" and schedule.warm_up > schedule.decay_from:
        values = {"value": schedule.warm_up, "most": schedule.decay_from}
        others = ("schedule.decay_from", "schedule.kind")
        yield Mistake("schedule.warm_up", "late_warm_up", values, others=others)


def _wrong_windows(recipe: Recipe) -> Iterator[Mistake]:
    longest, tokens = max(recipe.batch.lengths), recipe.batch.tokens
    context = getattr(recipe.model, "context", None)
    if context is not None and longest > context:
        values = {"value": longest, "most": context}
        yield Mistake("batch.lengths", "long_window", values, others=("model.context",))
    if tokens < longest:
        values = {"value": tokens, "least": longest}
        yield Mistake("batch.tokens", "small_batch", values, others=("batch.lengths",))
    if recipe.data.pairs is not None:
        values = {"form": recipe.model.form}
        yield Mistake("data.pairs", "no_pairs", values, others=("model.form",))


def _wrong_pairs(recipe: Recipe) -> Iterator[Mistake]:
    """Entries about corpora, which mean nothing where pairs are read."""
    others = ("model.form",)
    for part, names in (
        ("data", ("cleaning", "text_field", "windows", "ends")),
        ("batch", ("lengths",)),
    ):
        entries = getattr(recipe, part)
        for name in names:
            if getattr(entries, name) != type(entries).model_fields[name].default:
                values = {"form": recipe.model.form}
                yield Mistake(f"{part}.{name}", "not_of_pairs", values, others=others)
    if isinstance(recipe.data.held_out, list):
        yield Mistake("data.held_out", "pairs_by_name", others=others)
    for number, phase in enumerate(recipe.phases):
        if phase.teacher is not None:
            values = {"form": recipe.model.form}
            yield Mistake(f"phases.{number}.teacher", "no_teacher", values, others=others)


def _wrong_phases(recipe: Recipe) -> Iterator[Mistake]:
    ends = [phase.until for phase in recipe.phases]
    if ends != sorted(set(ends)) or ends[-1] != 1.0:
        yield Mistake("phases", "phase_ends")
    form, depth = recipe.model.form, recipe.model.num_layers
    for number, phase in enumerate(recipe.phases):
        if phase.objective != objective_of(form):
            values = {"form": form, "objective": objective_of(form)}
            path = f"phases.{number}.objective"
            yield Mistake(path, "other_objective", values, others=("model.form",))
        if phase.num_layers is not None and form not in GROWING:
            path = f"phases.{number}.num_layers"
            yield Mistake(path, "cannot_grow", {"form": form}, others=("model.form",))
        elif phase.num_layers is not None and phase.num_layers > depth:
            deep = {"value": phase.num_layers, "most": depth}
            path = f"phases.{number}.num_layers"
            yield Mistake(path, "deep_phase", deep, others=("model.num_layers",))
    depths = [phase.num_layers or depth for phase in recipe.phases]
    for number, (before, value) in enumerate(pairwise(depths), 1):
        if value < before:
            fewer = {"value": value, "before": before}
            path, last = (f"phases.{each}.num_layers" for each in (number, number - 1))
            yield Mistake(path, "shrinking_phase", fewer, others=(last, "model.num_layers"))
