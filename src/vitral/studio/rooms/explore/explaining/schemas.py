"""The bodies of the page's views of a whole text. Everything is counted from 0."""

from typing import Literal

from pydantic import BaseModel, Field


class MeasureDescription(BaseModel):
    """A measure of heads, in the language asked for."""

    name: str
    label: str
    sentence: str = Field(description="What it means")
    low: float
    high: float | None = Field(description="null where only the text's length limits it")
    unit: str = Field(description='"share" or "tokens"')
    source: str


class Head(BaseModel):
    """One head in this text."""

    layer: int
    head: int
    role: str
    sentence: str = Field(description="What it does in this text, in the language asked for")
    idle: bool = Field(description="It writes next to nothing")
    values: dict[str, float | None] = Field(description="null where the text leaves it undefined")


class Heads(BaseModel):
    """All heads' measures."""

    num_layers: int
    num_heads: int
    repeated: bool = Field(
        description="duplicate and induction are of repeated random tokens, not of the text"
    )
    measures: list[MeasureDescription]
    heads: list[Head]


class Writes(BaseModel):
    """How much each head writes beside the one of its layer that writes most."""

    writes: list[list[float | None]] | None = Field(
        description="[layers][heads]; null for a long text, and where the model is not at hand"
    )


class Constancy(BaseModel):
    """In how many of some other sentences each head has the role that it has in this text."""

    sentences: list[str]
    num_too_long: int
    same: list[list[int | None]] = Field(description="[layers][heads], sentences")


class GraphEdge(BaseModel):
    """From `query` above `layer` down to `key` below it."""

    layer: int
    query: int
    key: int
    weight: float


class Graph(BaseModel):
    """The way down from a token to the input tokens."""

    kind: Literal["attention", "rollout", "flow"]
    token: int
    source: int | None = Field(description="The input token whose flow is drawn")
    nodes: list[list[float]] = Field(description="[layers + 1][tokens], the input first")
    edges: list[GraphEdge] = Field(description="The strongest first")
    num_edges: int = Field(description="That weigh `least` or more; not all need be sent")
    least: float


class Neighbour(BaseModel):
    """A token or word near another, with the cosine of the angle between them."""

    id: int = Field(description="A place in the text, or an id of the vocabulary")
    text: str
    cosine: float


class Path(BaseModel):
    """One token's way through the plane, a point a level."""

    text: Literal[0, 1] = Field(description="0 for the first text, 1 for the other")
    token: int
    points: list[tuple[float, float]]


class PathLevel(BaseModel):
    """What stands around the chosen token at one level."""

    address: str
    tokens: list[Neighbour]
    words: list[Neighbour] | None = Field(
        description="null where the vocabulary's vectors are of another width"
    )
    cosine: float | None = Field(description="With the other text's token; null without one")


class WordPath(BaseModel):
    """A token's path, alone or with another's."""

    token: int
    other: int | None
    explained: tuple[float, float]
    levels: list[PathLevel]
    paths: list[Path]
    all_drawn: bool = Field(description="Every token's path is among them")


class Candidate(BaseModel):
    """An entry of the vocabulary as an answer."""

    id: int
    text: str
    probability: float
    rank: int


class LensCell(BaseModel):
    """What a layer would predict at a place: its first choice."""

    id: int
    text: str
    probability: float


class Lens(BaseModel):
    """What each level would predict if the model stopped there; the last one is its answer."""

    levels: list[str]
    candidates: list[list[Candidate]] = Field(description="At the chosen place, a list a level")
    expected: list[Candidate] | None = Field(description="The text's own token, at every level")
    first: int = Field(description="The grid's first place")
    cells: list[list[LensCell]] = Field(description="[levels][places]")


class Predictions(BaseModel):
    """What the model predicts at a place."""

    token: int
    says: Literal["next", "here"] = Field(
        description='"next": which token follows; "here": which stands here'
    )
    places: list[str] = Field(description="The tokens at which the model answers")
    blanked: bool
    can_blank: bool
    entropy: float = Field(description="Of the distribution, in bits")
    candidates: list[Candidate]
    expected: Candidate | None = Field(description="What the text itself has; null after its end")
    lens: Lens | None = Field(
        description="null where the text is too long to be read again, and of recurrent networks"
    )
    lens_limit: int
