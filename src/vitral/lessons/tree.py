"""A lesson's text as a typed tree: what es.md and en.md are read into, and what the page draws.

A block is the part of a lesson below one heading; it holds pieces (paragraphs, figures, questions),
and those hold inline pieces (words, formulas, numbers).
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Field


class ProseText(BaseModel):
    """Plain words."""

    kind: Literal["text"]
    text: str


class ProseStyled(BaseModel):
    """Words that are set apart."""

    kind: Literal["emphasis", "strong"]
    children: list["Inline"]


class ProseCode(BaseModel):
    """A few characters of code."""

    kind: Literal["code"]
    text: str


class ProseFormula(BaseModel):
    """Mathematics, as LaTeX."""

    kind: Literal["formula"]
    tex: str


class ProseNumber(BaseModel):
    """A number of the lesson's `numbers`, by its name: it is computed, and never typed."""

    kind: Literal["number"]
    name: str


class ProseLink(BaseModel):
    """A link: to another lesson by its name, or to an address of Studio (it begins with "/")."""

    kind: Literal["link"]
    to: str
    children: list["Inline"]


Inline = Annotated[
    ProseText | ProseStyled | ProseCode | ProseFormula | ProseNumber | ProseLink,
    Field(discriminator="kind"),
]


class ProseParagraph(BaseModel):
    """A paragraph."""

    kind: Literal["paragraph"]
    children: list[Inline]


class ProseEquation(BaseModel):
    """A formula that stands alone."""

    kind: Literal["equation"]
    tex: str


class ProseList(BaseModel):
    """A list, numbered or not; each item holds pieces."""

    kind: Literal["list"]
    ordered: bool
    items: list[list["Piece"]]


class ProseQuote(BaseModel):
    """A remark that stands apart."""

    kind: Literal["quote"]
    children: list["Piece"]


class ProseFigure(BaseModel):
    """A figure of the lesson, by its name, with what stands below it; `values` are those that it
    takes when the reader comes here."""

    kind: Literal["figure"]
    name: str
    values: dict[str, float | bool | str]
    children: list["Piece"]


class ProsePrediction(BaseModel):
    """A question that is answered before the figure is moved; `options` in the manifest's order,
    `after` is read once it is answered."""

    kind: Literal["predict"]
    name: str
    children: list["Piece"]
    options: list[list[Inline]]
    after: list["Piece"]


class ProseExercise(BaseModel):
    """An exercise: the task, and its solution, which stands apart."""

    kind: Literal["exercise"]
    name: str
    children: list["Piece"]
    after: list["Piece"]


class ProseYours(BaseModel):
    """The same figure on what the reader brings; `claims` in the manifest's order."""

    kind: Literal["yours"]
    name: str
    children: list["Piece"]
    claims: list[list[Inline]]
    after: list["Piece"]


class ProseCodeCell(BaseModel):
    """A piece of code of the lesson's `code`, by its name."""

    kind: Literal["code_cell"]
    name: str


Piece = Annotated[
    ProseParagraph
    | ProseEquation
    | ProseList
    | ProseQuote
    | ProseFigure
    | ProsePrediction
    | ProseExercise
    | ProseYours
    | ProseCodeCell,
    Field(discriminator="kind"),
]


class ProseBlock(BaseModel):
    """What stands below one heading. `digest` is that of its own text, `renders` the digest of the
    Spanish block that an English one was written from."""

    name: str
    title: list[Inline]
    pieces: list[Piece]
    digest: str
    renders: str | None = None


for _model in (ProseStyled, ProseLink, ProseList, ProseQuote, ProseFigure, ProsePrediction):
    _model.model_rebuild()
for _other in (ProseExercise, ProseYours, ProseBlock):
    _other.model_rebuild()
