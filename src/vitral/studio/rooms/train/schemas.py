"""What travels between the Train room and Studio."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Entry

Words = dict[str, str]
"""The same in each language: {"en": …, "es": …}."""

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


class Text(BaseModel):
    """A text to learn from."""

    id: str
    kind: Literal["offered", "given", "uploaded"]
    name: str
    num_bytes: int | None = Entry(description="null for a folder, or one that is made when wanted")
    watched: str = Entry(description="A sentence worth watching while a model learns from it")


class Field(BaseModel):
    """An entry of a recipe, as a form asks for it."""

    path: str = Entry(description='"*" stands for the place of a phase')
    forms: list[str] = Entry(description="The architectures that have it; empty for all")
    kind: Literal["integer", "number", "boolean", "choice", "list", "text"]
    choices: list[str]
    optional: bool = Entry(description="May be empty (null)")
    default: Any
    needs: str | None = Entry(description="Asked for only where that entry is not empty")
    of_several: bool = Entry(description="Asked for only where a run has several phases")
    words: Words
    takes: Words


class Proposal(BaseModel):
    """What the dial would choose, as a form's values."""

    settings: dict[str, Any]


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
    """A training as it stands."""

    id: str
    name: str
    state: str = Entry(
        description="queued, preparing, running, pausing, stopping, paused, interrupted, "
        "finished, failed"
    )
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

    texts: list[Text]
    runs: list[Run]
    endings: list[str]
    max_upload_bytes: int
    max_phases: int
    max_watched_characters: int
