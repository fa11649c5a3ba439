"""The bodies that the Train room and Studio exchange."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Entry
from pydantic.json_schema import SkipJsonSchema

from vitral.studio.rooms.train.runs import State
from vitral.studio.traces.schemas import Token

MOST_PHASES = 12
"""Of a run that a form asks for."""

Value = (
    bool
    | int
    | float
    | Annotated[str, Entry(max_length=2000)]
    | Annotated[list[int | float | Annotated[str, Entry(max_length=300)]], Entry(max_length=100)]
    | None
)


Default = bool | int | float | str | list[int | float | str] | None
"""A value of a recipe's entry, as Studio proposes it."""


class Words(BaseModel):
    """The same in each language."""

    en: str
    es: str


class TrainingText(BaseModel):
    """A text to learn from."""

    id: str
    kind: Literal["offered", "given", "uploaded"]
    name: str
    num_bytes: int | None = Entry(description="null for a folder, or one that is made when wanted")
    watched: str = Entry(description="A sentence worth watching while a model learns from it")


class RecipeField(BaseModel):
    """An entry of a recipe, as a form asks for it."""

    path: str = Entry(description='"*" stands for the place of a phase')
    forms: list[str] = Entry(description="The architectures that have it; empty for all")
    kind: Literal["integer", "number", "boolean", "choice", "list", "text"]
    choices: list[str]
    optional: bool = Entry(description="May be empty (null)")
    default: Default
    needs: str | None = Entry(description="Asked for only where that entry is not empty")
    of_several: bool = Entry(description="Asked for only where a run has several phases")
    words: Words
    takes: Words


class Proposal(BaseModel):
    """What the dial would choose, as a form's values."""

    settings: dict[str, Default]


class ProposalRequest(BaseModel):
    """Have the dial choose for this text and so many minutes."""

    model_config = ConfigDict(extra="forbid")

    text: str = Entry(min_length=1, max_length=300)
    minutes: float = Entry(gt=0, le=100_000)


class RunRequest(BaseModel):
    """A training to begin: with `minutes` alone the dial chooses; `settings` are a whole recipe."""

    model_config = ConfigDict(extra="forbid")

    text: str | None = Entry(default=None, max_length=300)
    name: str = Entry(min_length=1, max_length=80)
    minutes: float | None = Entry(default=None, gt=0, le=100_000)
    watch: str | None = Entry(default=None, min_length=1, max_length=500)
    settings: dict[Annotated[str, Entry(max_length=100)], Value] = Entry(
        default_factory=dict, max_length=300
    )


class Run(BaseModel):
    """The state of a training."""

    id: str
    name: str
    state: State
    created: float = Entry(description="Seconds since 1970")
    source: str = Entry(description="What it reads, without the path")
    place: int | None = Entry(description="In the queue, from 1")
    error: str | None = Entry(description="The message of its process when it failed")
    step: int
    steps: int | None = Entry(description="How many it takes; null where minutes count")
    minutes: float | None
    done_minutes: float
    form: str | None
    num_layers: int | None
    num_heads: int | None
    hidden_size: int | None
    objective: str | None
    rate: float | None = Entry(description="The full learning rate")
    watch: str | None
    model: str | None = Entry(description="What the finished model is called in the catalog")


class Training(BaseModel):
    """What the Train room shows first."""

    texts: list[TrainingText]
    runs: list[Run]
    endings: list[str]
    max_upload_bytes: int
    max_phases: int
    max_watched_characters: int


class FormMistake(Words):
    """What is wrong with a form, at the field it is about: an item of `form_invalid`."""

    path: str


class CurveSteps(BaseModel):
    """Steps as columns; null where a norm overflowed."""

    step: list[int]
    loss: list[float | None]
    rate: list[float]
    gradient_norm: list[float | None]
    tokens: list[int]
    seconds: list[float]


class Gradients(BaseModel):
    """The gradient's norm in each part of the model, after one step."""

    step: int
    norms: dict[str, float | None]


class Evaluation(BaseModel):
    """An evaluation on held-out text; losses in nats per token, other figures where measured."""

    step: int
    tokens: int
    minutes: float
    loss: float
    held_out_loss: float
    bits_per_byte: float | SkipJsonSchema[None] = None
    masked_accuracy: float | SkipJsonSchema[None] = None
    sample: str | SkipJsonSchema[None] = None


class CurveEvent(BaseModel):
    """The data of an event `curve`: what was added, or with `restart` all there is."""

    restart: bool
    steps: CurveSteps
    gradients: list[Gradients]
    evaluations: list[Evaluation]


class WatchedEvent(BaseModel):
    """The data of an event `watched`: the sentence, and the steps at which its attention was
    recorded."""

    text: str
    causal: bool
    tokens: list[Token]
    steps: list[int]
