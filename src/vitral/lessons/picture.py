"""What an experiment gives: values with names, and pictures that the page knows how to draw.

Labels are names of the lesson's `words`, which the page says in the reader's language; a label
that is no such name (a token, a number, a symbol) is shown as it is.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

Value = float | bool | str


class Curve(BaseModel):
    """Points that a line joins. A point whose y is null breaks the line."""

    label: str
    x: list[float]
    y: list[float | None]
    dashed: bool = False


class MovedPoint(BaseModel):
    """A point on the picture; dragging it (or its arrow keys) sets the parameters `sets_x` and
    `sets_y` to where it is, where they are given."""

    label: str
    x: float
    y: float
    sets_x: str | None = None
    sets_y: str | None = None


class CurvesPicture(BaseModel):
    """Curves over one axis. `shaded` are stretches of x that are set apart; with
    `equal` one step is as long across as it is upward."""

    kind: Literal["curves"]
    label: str
    x_label: str
    y_label: str
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    curves: list[Curve]
    points: list[MovedPoint] = []
    shaded: list[tuple[float, float]] = []
    log_y: bool = False
    equal: bool = False


class Dot(BaseModel):
    """An example on a decision map; `group` is its class, counted from 0."""

    x: float
    y: float
    group: int
    label: str = ""


class RegionsPicture(BaseModel):
    """A map of the plane: `cells[row][column]` is the value from 0 to 1 at that place, the first
    row at the bottom; a line is drawn where it is one of `levels`. On a decision map, `dots` are
    examples and `groups` name their classes; on a landscape, `curves` are ways across it."""

    kind: Literal["regions"]
    label: str
    x_label: str
    y_label: str
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    cells: list[list[float]]
    levels: list[float] = [0.5]
    groups: list[str] = []
    dots: list[Dot] = []
    curves: list[Curve] = []
    points: list[MovedPoint] = []


class HeatPicture(BaseModel):
    """A table whose cells are coloured: from 0 to `most`, or, if `signed`, from −most to most."""

    kind: Literal["heat"]
    label: str
    rows: list[str]
    columns: list[str]
    cells: list[list[float | None]]
    signed: bool = False
    most: float | None = None
    digits: int = 2


class Bar(BaseModel):
    """One bar; `marked` sets it apart."""

    label: str
    value: float
    marked: bool = False


class BarsPicture(BaseModel):
    """Bars beside each other, on an axis from `least` (0, or below for negative values)."""

    kind: Literal["bars"]
    label: str
    bars: list[Bar]
    range: tuple[float, float]
    digits: int = 3


class DrawnNode(BaseModel):
    """A node at a place of the drawing, counted in columns and rows from the upper left; `slope`
    is a second number that belongs to it (null: not known yet)."""

    name: str
    label: str
    column: float
    row: float
    value: float | None = None
    slope: float | None = None
    marked: bool = False


class DrawnArrow(BaseModel):
    """An arrow between two nodes, by their names, and the number that belongs to it."""

    start: str
    end: str
    number: float | None = None


class GraphPicture(BaseModel):
    """A small graph that is read from left to right. The three labels say what its numbers are."""

    kind: Literal["graph"]
    label: str
    value_label: str
    slope_label: str
    number_label: str
    nodes: list[DrawnNode]
    arrows: list[DrawnArrow]


class CalculationStep(BaseModel):
    """One line of a calculation: what it is, and LaTeX with the numbers in place. Numbers in it
    are written `⟨1.25⟩` and shown in the reader's form."""

    label: str
    tex: str


class StepsPicture(BaseModel):
    """A calculation, line by line."""

    kind: Literal["steps"]
    label: str
    steps: list[CalculationStep]


class TracePicture(BaseModel):
    """Attention of a model on a text, as Explore shows it; what is null Explore chooses."""

    kind: Literal["trace"]
    label: str
    model: str | None = None
    text: str | None = None
    layer: int | None = None
    head: int | None = None
    token: int | None = None
    view: str | None = None


Picture = Annotated[
    CurvesPicture
    | RegionsPicture
    | HeatPicture
    | BarsPicture
    | GraphPicture
    | StepsPicture
    | TracePicture,
    Field(discriminator="kind"),
]


class Drawing(BaseModel):
    """A figure computed at some values of its parameters."""

    values: dict[str, Value] = Field(
        description="What the figure's sentence, numbers, questions and claims name"
    )
    pictures: list[Picture]
