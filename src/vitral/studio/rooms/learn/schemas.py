"""What travels between the Learn room and its page."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from vitral.lessons.manifest import FigureEntry, Said
from vitral.lessons.picture import Drawing, Value
from vitral.lessons.tree import ProseBlock
from vitral.studio.gate.error_body import ErrorDetail


class DonePart(BaseModel):
    """A question or an exercise that was answered, as a line of the progress file has it."""

    lesson: str
    part: str
    kind: Literal["predict", "exercise"]
    passed: bool
    time: int = Field(description="Seconds since 1970")


class LessonCard(BaseModel):
    """A lesson on the shelf; `parts` are its questions and exercises, `done` those that were
    answered (a question, right or wrong) or passed (an exercise)."""

    name: str
    number: int
    title: Said
    summary: Said
    minutes: int
    needs: list[str]
    parts: list[str]
    done: list[str]
    ours: bool = Field(description="Whether it came with Vitral")


class LessonShelf(BaseModel):
    """The lessons in their order, what is done, and whether code may be run here."""

    lessons: list[LessonCard]
    runner: Literal["bubblewrap", "process", "none", "off"] = Field(
        description="What a learner's code runs under; off where this Studio runs none"
    )
    secret: str = Field(description="Sent along with code as Vitral-Secret; another each session")


class PredictionShown(BaseModel):
    """A question without its answer."""

    figure: str
    values: dict[str, Value]
    options: list[str] | None
    range: tuple[float, float] | None
    step: float | None


class ExerciseShown(BaseModel):
    """An exercise without its answer; what its kind does not have is null."""

    kind: Literal["observe", "tune", "write"]
    figure: str | None
    values: dict[str, Value]
    unit: Said | None
    function: str | None
    start: str | None


class YoursShown(BaseModel):
    """A figure on what the reader brings."""

    figure: str
    values: dict[str, Value]


class LessonText(BaseModel):
    """A lesson: its prose in both languages, and what the prose names."""

    name: str
    number: int
    title: Said
    summary: Said
    blocks: dict[Literal["es", "en"], list[ProseBlock]]
    words: dict[str, Said]
    figures: dict[str, FigureEntry]
    predictions: dict[str, PredictionShown]
    exercises: dict[str, ExerciseShown]
    yours: dict[str, YoursShown]
    code: dict[str, str]
    before: str | None = Field(description="The lesson before it on the shelf")
    after: str | None


class NumberShown(BaseModel):
    """A number of the prose, computed."""

    value: float
    digits: int | None
    percent: bool


class FigureAt(BaseModel):
    """The parameters of a figure that were moved, at their values."""

    model_config = ConfigDict(extra="forbid")
    values: dict[str, Value] = Field(default={}, max_length=64)


class GivenAnswer(BaseModel):
    """An answer to a question: a number, or an option's name."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    answer: float | str = Field(union_mode="left_to_right")


class MarkedAnswer(BaseModel):
    """Whether it was right, and what would have been."""

    right: bool
    answer: Value


class Attempt(BaseModel):
    """What was done in an exercise: read off, moved to, or written, as its kind asks."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    answer: float | str | None = None
    values: dict[str, Value] | None = Field(None, max_length=64)
    code: str | None = Field(None, max_length=100_000)


class MarkedAttempt(BaseModel):
    """How an exercise came out; `holds` says it of each thing that was wanted, `line` what went
    wrong, `words` what the lesson says of a mistake that it knows, `printed` what code printed."""

    passed: bool
    holds: list[bool] = []
    line: ErrorDetail | None = None
    words: Said | None = None
    printed: str = ""


class Claimed(BaseModel):
    """The figure on what the reader brought, and which claims hold there."""

    drawing: Drawing
    holds: list[bool]
