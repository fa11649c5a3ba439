"""A recipe: everything that decides how a training run comes out, in one YAML file.

The same definition checks the file, gives the command line its flags and the browser its form.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, PositiveInt, ValidationError, model_validator

from vitral.errors import VitralError
from vitral.training.shapes import DECODERS, ENCODERS, Shape, Strict

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]

TokenizerKind = Literal["character", "word", "byte", "bpe", "byte_bpe", "wordpiece", "unigram"]
ObjectiveName = Literal["next_token", "masked_words", "sequence_to_sequence"]


class TokenizerChoice(Strict):
    """How the text is cut into tokens; learned from the training text, or taken from the model
    that the run goes on from. `character` and `byte` need no size."""

    kind: TokenizerKind = "byte_bpe"
    vocab_size: Annotated[int, Field(gt=0, le=1_000_000)] = 8192


class DataChoice(Strict):
    """How the corpus is read. `held_out` names documents, or is the share of them that is never
    trained on. `windows` start where a sentence starts, or anywhere; or whole documents are
    packed side by side, none of them seeing another."""

    cleaning: Literal["prose", "plain"] = "prose"
    text_field: str = "text"
    held_out: list[str] | Annotated[float, Field(gt=0, lt=1)] = 0.1
    windows: Literal["sentence", "anywhere", "packed"] = "sentence"


class Batch(Strict):
    """How much is read before each step of the optimiser: so many tokens, in windows of one of
    the `lengths` (drawn for each step). With several `parts` the step's gradient is accumulated
    from as many passes, which needs less memory and gives the same step."""

    tokens: PositiveInt = 4096
    lengths: Annotated[list[PositiveInt], Field(min_length=1)] = Field(default=[64, 256])
    parts: PositiveInt = 1


class Teacher(Strict):
    """A trained model to learn from as well: the `share` of the loss that is its distribution
    at this `temperature` (Hinton et al. 2015)."""

    model: str
    share: Share = 0.5
    temperature: Positive = 2.0


class Phase(Strict):
    """What is learned until the share `until` of the run is over, in a model of so many layers:
    less than the recipe's are a first part of it, which grows afterwards.

    Of the tokens chosen to be masked, one in five is shown as it is or as another, so that a
    model learns to look at words that are there; with `all_masked` all of them are masked."""

    objective: ObjectiveName
    until: Annotated[float, Field(gt=0, le=1)] = 1.0
    num_layers: PositiveInt | None = None
    mask_share: Annotated[float, Field(gt=0, lt=1)] = 0.15
    all_masked: bool = False
    teacher: Teacher | None = None


class OptimizerChoice(Strict):
    """How gradients become steps. `rate` is the full learning rate, by default one that suits
    the kind. Muon moves the matrices inside the blocks; AdamW, at `vector_rate`, the rest."""

    kind: Literal["sgd", "momentum", "rmsprop", "adagrad", "adam", "adamw", "muon"] = "muon"
    rate: Positive | None = None
    vector_rate: Positive = 0.003
    weight_decay: Annotated[float, Field(ge=0)] = 0.05
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.95
    betas: tuple[Share, Share] = (0.9, 0.98)
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
    like one that was not."""

    name: Annotated[str, Field(min_length=1)]
    model: Shape
    tokenizer: TokenizerChoice = TokenizerChoice()
    data: DataChoice = DataChoice()
    batch: Batch = Batch()
    phases: list[Phase] = Field(default=[])
    optimizer: OptimizerChoice = OptimizerChoice()
    schedule: ScheduleChoice = ScheduleChoice()
    minutes: Positive | None = None
    steps: PositiveInt | None = None
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    recompute_activations: bool = False
    company_vectors: bool = True
    seed: int = 1605
    evaluate_every: PositiveInt = 100
    checkpoint_minutes: Annotated[float, Field(ge=0)] = 5.0
    patience: PositiveInt | None = None
    sample: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_phase_by_default(cls, entries: Any) -> Any:
        """Without phases, the whole run is the objective that the model's form is made for."""
        if isinstance(entries, dict) and not entries.get("phases"):
            model = entries.get("model")
            form = model.get("form") if isinstance(model, dict) else getattr(model, "form", None)
            return {**entries, "phases": [{"objective": objective_of(str(form))}]}
        return entries

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "Recipe":
        """Raises ValueError with all contradictions, one a line."""
        wrong = list(_contradictions(self))
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    @property
    def end(self) -> float:
        """The run's length in its own unit: steps, or else minutes."""
        length = self.steps if self.steps is not None else self.minutes
        assert length is not None
        return float(length)


def objective_of(form: str) -> ObjectiveName:
    """What a model of that form is made for."""
    if form in DECODERS:
        return "next_token"
    return "masked_words" if form in ENCODERS else "sequence_to_sequence"


def _contradictions(recipe: Recipe) -> list[str]:
    wrong = []
    if (recipe.minutes is None) == (recipe.steps is None):
        wrong.append("minutes, steps: give exactly one of the two")
    longest = max(recipe.batch.lengths)
    context = getattr(recipe.model, "context", None)
    if context is not None and longest > context:
        wrong.append(f"batch.lengths: {longest} is more than model.context {context}")
    if recipe.batch.tokens < longest:
        wrong.append(f"batch.tokens: {recipe.batch.tokens} is less than a window of {longest}")
    ends = [phase.until for phase in recipe.phases]
    if ends != sorted(set(ends)) or ends[-1] != 1.0:
        wrong.append("phases: each ends (until) after the one before it, and the last at 1")
    for number, phase in enumerate(recipe.phases):
        fitting = objective_of(recipe.model.form)
        if phase.objective != fitting:
            wrong.append(
                f"phases.{number}.objective: {recipe.model.form} learns {fitting}, "
                f"not {phase.objective}"
            )
        depth = recipe.model.num_layers
        if phase.num_layers is not None and phase.num_layers > depth:
            wrong.append(f"phases.{number}.num_layers: {phase.num_layers} is more than {depth}")
    if recipe.schedule.warm_up > recipe.schedule.decay_from and (
        recipe.schedule.kind == "stable_decay"
    ):
        wrong.append("schedule: warm_up is after decay_from")
    return wrong


def read_recipe(path: Path) -> Recipe:
    """The recipe in a YAML file. Raises `recipe_missing` or `recipe_invalid`."""
    if not path.is_file():
        raise VitralError("recipe_missing", path=path)
    try:
        return Recipe.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise VitralError(
            "recipe_invalid", path=path, reason=str(error).replace("\n", " ")
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise VitralError("recipe_invalid", path=path, reason=f"{place}: {first['msg']}") from None
