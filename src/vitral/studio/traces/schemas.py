"""The bodies that describe a trace to the page: one Pydantic model each.

The front end's types are generated from these models and those of the rooms, as
`GET /api/openapi.json` publishes them. Layers, heads and tokens count from 0.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class TraceRequest(BaseModel):
    """A text to be traced with a model."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(min_length=1, max_length=500)
    text: str
    answer: str | None = Field(
        None, description="What an encoder–decoder's decoder reads; null: the model writes it"
    )


class Patch(BaseModel):
    """A patch of a picture: row and column from the upper left, and its box in pixels."""

    row: int
    column: int
    left: int
    top: int
    right: int
    bottom: int


class Token(BaseModel):
    """One token; `text` is `source[start:end]`, "row,column" of a patch, or the name of a special
    token. Its place is a span of text, a patch, or none."""

    id: int
    text: str
    start: int | None
    end: int | None
    special: bool
    patch: Patch | None = Field(None, exclude_if=lambda patch: patch is None)
    segment: int | None = Field(
        None,
        description="Of two texts that were read together, the one that it belongs to",
        exclude_if=lambda segment: segment is None,
    )


class TextSurface(BaseModel):
    """The tokens are spans of the trace's `text`."""

    kind: Literal["text"] = "text"


class PictureSurface(BaseModel):
    """The tokens are patches of a picture: GET /api/traces/{id}/picture gives it as a PNG."""

    kind: Literal["picture"] = "picture"
    width: int = Field(description="Of the picture that the model saw, in pixels")
    height: int
    rows: int = Field(description="Of patches; 0 where the tokens are not one for each patch")
    columns: int
    name: str
    original: tuple[int, int] | None = Field(description="Width and height of the picture given")
    seen: tuple[float, float, float, float] | None = Field(
        description="Left, top, right, bottom of what the model saw, in the picture given"
    )
    notes: list[str] = Field(
        description="What was done to the picture on the way in: entries studio.picture_note_<note>"
    )


Surface = Annotated[TextSurface | PictureSurface, Field(discriminator="kind")]


TokenList = Literal["tokens", "decoder_tokens", "numbered"]
"""Which tokens of a trace; "numbered" are none of them, and go by their places: 0, 1, 2, …"""


class Part(BaseModel):
    """One of a model's attentions: its only one, or of an encoder–decoder one of three."""

    name: str = Field(description='"" where there is one; "encoder", "decoder", "cross"')
    num_layers: int = Field(description="Layers of its stack, with attention or without")
    layers: list[int] = Field(description="The numbers of those that have attention")
    num_heads: int
    causal: bool = Field(description="True where a token attends only to those before it")
    address: str = Field(description='Of a layer\'s pattern, with "{layer}" for its number')
    queries: TokenList = Field(description="The tokens that attend")
    keys: TokenList = Field(description="The tokens attended to")
    num_queries: int
    num_keys: int
    own_keys: list[Token] | None = Field(
        None,
        description="The tokens attended to where they are neither list: a learned prefix and "
        "the text's; null for most parts",
    )
    computed: bool = Field(
        description="True where queries and keys are known, and a weight's arithmetic with them"
    )


class Answer(BaseModel):
    """The text of an encoder–decoder's decoder."""

    text: str
    given: bool = Field(description="True where the request gave it; else the model wrote it")
    ended: bool = Field(description="False where the model was stopped before it came to an end")
    can_write: bool = Field(
        default=True, description="False where the model has no head to write with (BartModel)"
    )


class Trace(BaseModel):
    """What a trace holds, without its numbers: those are asked for as views.

    `num_layers`, `num_heads`, `causal` and `pooled_size` are those of the first of `parts`.
    """

    id: str = Field(description="A digest of what was asked: the same request has the same id")
    model: str
    text: str
    num_layers: int
    num_heads: int
    causal: bool = Field(description="True where a token attends only to those before it")
    exactness: str = Field(
        description='"exact": rebuilt from queries and keys; "eager": as the model itself gave them'
    )
    parts: list[Part]
    num_tokens: int
    surface: Surface | None = Field(
        None, description="What `tokens` are parts of; null for bare ids"
    )
    tokens: list[Token] = Field(
        description="Empty for a text of more than 4096: GET /api/traces/{id}/tokens gives them"
    )
    decoder_tokens: list[Token] = Field(description="Empty but for an encoder–decoder")
    answer: Answer | None = Field(description="Null but for an encoder–decoder")
    edits: list[str] = Field(description="What was changed of the model while it ran, a line each")
    reading: str = Field(
        "", description='How its weights are read, such as "no-rest~words"; "" for as they are'
    )
    opened: str | None = Field(description="The name of the file that it was read from, or null")
    pooled_size: int = Field(description="Side of the small maps: min(tokens, 24)")
    seconds: float = Field(description="How long the traced run took, loading left out")


class Arithmetic(BaseModel):
    """How one attention weight is computed: q·k, scaled, through the row's softmax."""

    part: str
    layer: int
    head: int
    query: int
    key: int
    q: list[float] = Field(description="The query's vector as it met the key's")
    k: list[float]
    products: list[float] = Field(description="q and k multiplied, one by one")
    dot: float = Field(description="The products' sum")
    scaling: float
    softcap: float | None = Field(description="What limits the scores, in models that do so")
    bias: float = Field(description="Added to the score, in models that do so")
    score: float = Field(description="What enters the softmax")
    scores: list[float | None] = Field(
        description="The whole row's scores; null where the token may not attend"
    )
    sink: float | None = Field(description="One more logit in the denominator, in some models")
    weights: list[float] = Field(description="The row's softmax")
    weight: float
    output: list[float] = Field(description="All tokens' values, by their weights")
    latex: str
    python: str
