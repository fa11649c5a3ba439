"""`lesson.yaml`: all of a lesson that is not prose, checked.

docs/lessons.md shows one, entry by entry. Everything that a person reads stands twice, as
{es: …, en: …}; every number is computed from an experiment.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from vitral.lessons.picture import Value

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
Values = dict[str, Value]
Words = Annotated[str, Field(min_length=1, max_length=2000)]


class Entry(BaseModel):
    """An entry of the manifest: what is misspelled is refused."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, allow_inf_nan=False)


class Said(Entry):
    """The same in both languages."""

    es: Words
    en: Words


class Control(Entry):
    """How the reader moves a parameter: along a range, among options, on or off, or by writing."""

    label: Said
    range: tuple[float, float] | None = None
    step: float | None = Field(None, gt=0, description="Between two places of the range")
    options: dict[str, Said] | None = Field(None, min_length=2)
    switch: bool = False
    text: int | None = Field(None, ge=1, le=2000, description="Most characters of a text")
    model: Literal["encoder", "decoder", "any"] | None = Field(
        None, description="Which of Studio's models may be chosen"
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [self.range, self.options, self.switch or None, self.text, self.model]
        if sum(way is not None for way in ways) != 1:
            raise ValueError("a control has a range, options, a switch, a text or a model")
        if (self.range is None) != (self.step is None):
            raise ValueError("a range has a step")
        if self.range is not None and self.range[0] >= self.range[1]:
            raise ValueError("a range goes from the smaller number to the larger one")
        return self


class FigureEntry(Entry):
    """A figure: an experiment, its parameters, and which of them may be moved."""

    experiment: str = Field(
        pattern=r"^([a-z][a-z0-9_]*\.)?[a-z][a-z0-9_]*$",
        description="A function of figures.py; another lesson's is written lesson.name",
    )
    title: Said
    values: Values = {}
    controls: dict[Name, Control] = {}
    sentence: Said = Field(
        description="What is seen, in words; {name} is a value or a parameter of the figure"
    )


class Wanted(Entry):
    """What a value of a figure should be."""

    value: Name
    equals: Value | None = None
    tolerance: float = Field(0.0, ge=0)
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.equals is None and self.at_least is None and self.at_most is None:
            raise ValueError("say equals, at_least or at_most")
        return self

    def holds(self, value: Value) -> bool:
        """Whether `value` is as wanted."""
        if isinstance(value, bool | str) or isinstance(self.equals, bool | str):
            return value == self.equals
        return (
            (self.equals is None or abs(value - self.equals) <= self.tolerance)
            and (self.at_least is None or value >= self.at_least)
            and (self.at_most is None or value <= self.at_most)
        )


class NumberEntry(Entry):
    """A number of the prose: a value of a figure, at these values. `claim` is what the text says
    of it, and a test holds it to that."""

    figure: Name
    values: Values = {}
    value: Name
    digits: int | None = Field(None, ge=0, le=8, description="Decimals; else four that count")
    percent: bool = False
    claim: float | None = None
    tolerance: float = Field(0.0, ge=0)


class PredictEntry(Entry):
    """A question answered before the figure is moved: its answer is a value of the figure. With
    `options` it is one of their names, in the order of the prose; else a number."""

    figure: Name
    values: Values = {}
    value: Name
    options: list[str] | None = Field(None, min_length=2)
    range: tuple[float, float] | None = None
    step: float | None = Field(None, gt=0)
    tolerance: float = Field(0.0, ge=0)

    @model_validator(mode="after")
    def _options_or_number(self) -> Self:
        if (self.options is None) == (self.range is None):
            raise ValueError("a prediction has options or a range")
        return self


class ObserveEntry(Entry):
    """① Read a value off the figure."""

    kind: Literal["observe"]
    figure: Name
    values: Values = {}
    value: Name
    tolerance: float = Field(gt=0)
    unit: Said | None = None


class TuneEntry(Entry):
    """② Move the figure until something holds. `solution` is one way, and a test goes it."""

    kind: Literal["tune"]
    figure: Name
    values: Values = Field({}, description="Where the reader begins")
    until: list[Wanted] = Field(min_length=1)
    solution: Values


class InputEntry(Entry):
    """One argument as it is drawn at random: a number, or an array of such of the given sizes.
    A size is a number, a range [least, most], or the name of another size drawn in this call."""

    range: tuple[float, float] = (-3.0, 3.0)
    whole: bool = False
    shape: list[int | tuple[int, int] | Name] = Field([], max_length=3)


class WriteEntry(Entry):
    """③ Write a function, which is judged on random inputs beside the lesson's own.

    In a lesson of others, which is data only, `cases` hold what comes in and what should come out.
    """

    kind: Literal["write"]
    function: Name
    arguments: list[Name] = Field(min_length=1, max_length=6)
    start: str = Field(min_length=1, description="What the editor holds at first")
    inputs: list[InputEntry] = []
    cases: list[tuple[list[object], object]] = []
    properties: list[str] = []
    tolerance: float = Field(1e-6, gt=0)
    mistakes: dict[Name, Said] = Field(
        {}, description="What is said to the mistake in mistakes/<name>.py"
    )

    @model_validator(mode="after")
    def _arguments(self) -> Self:
        if self.inputs and len(self.inputs) != len(self.arguments):
            raise ValueError("inputs has one entry for each argument")
        if not self.inputs and not self.cases:
            raise ValueError("say inputs, or cases")
        return self


ExerciseEntry = Annotated[ObserveEntry | TuneEntry | WriteEntry, Field(discriminator="kind")]


class YoursEntry(Entry):
    """ "Con lo tuyo": the figure on what the reader brings, and the claims checked there."""

    figure: Name
    values: Values = {}
    claims: list[Wanted] = Field(min_length=1)


class Manifest(Entry):
    """All of lesson.yaml."""

    number: int = Field(ge=1, le=999, description="Its place on the shelf")
    title: Said
    summary: Said
    minutes: int = Field(ge=1, le=240)
    needs: list[Name] = Field([], description="Lessons to know before, by name")
    blocks: list[Name] = Field(min_length=1)
    words: dict[str, Said] = Field({}, description="Labels of the figures")
    figures: dict[Name, FigureEntry] = {}
    numbers: dict[Name, NumberEntry] = {}
    predictions: dict[Name, PredictEntry] = {}
    exercises: dict[Name, ExerciseEntry] = {}
    yours: dict[Name, YoursEntry] = {}
    code: dict[Name, str] = {}

    @model_validator(mode="after")
    def _figures_are_there(self) -> Self:
        asked = {each.figure for each in self.numbers.values()}
        asked |= {each.figure for each in self.predictions.values()}
        asked |= {each.figure for each in self.yours.values()}
        moved = [each for each in self.exercises.values() if not isinstance(each, WriteEntry)]
        unknown = (asked | {each.figure for each in moved}) - self.figures.keys()
        if unknown:
            raise ValueError(f"there is no figure {', '.join(sorted(unknown))}")
        return self
