"""What travels between Studio and the page: one Pydantic model a body.

The front end's types are written from these; `GET /api/openapi.json` publishes them. A change
here is a change of the protocol. Layers, heads and tokens count from 0.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ModelDescription(BaseModel):
    """What is known of a model before its weights are read."""

    name: str = Field(description="What a request calls it")
    title: str = Field(description="What a person calls it, in the language asked for")
    kind: str = Field(description="encoder, decoder, encoder-decoder …")
    num_layers: int
    num_heads: int
    context: int | None = Field(description="Most tokens it takes; null where there is no limit")
    architecture: str
    bundled: bool


class Studio(BaseModel):
    """Everything the page needs for its first paint."""

    version: str
    default_model: str
    default_text: str
    max_text_bytes: int
    max_tokens: int
    models: list[ModelDescription]


class TraceRequest(BaseModel):
    """A text to be seen through a model."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(min_length=1, max_length=500)
    text: str


class Token(BaseModel):
    """One token; `text` is `source[start:end]`, or the name of a special token."""

    id: int
    text: str
    start: int | None
    end: int | None
    special: bool


class Trace(BaseModel):
    """What a trace holds, without its numbers: those are asked for as views."""

    id: str = Field(description="A digest of model and text: the same request has the same id")
    model: str
    text: str
    num_layers: int
    num_heads: int
    causal: bool = Field(description="True where a token sees only those before it")
    exactness: str = Field(
        description='"exact": rebuilt from queries and keys; "eager": as the model itself gave them'
    )
    num_tokens: int
    tokens: list[Token] = Field(
        description="Empty for a text of more than 4096: GET /api/traces/{id}/tokens gives them"
    )
    pooled_size: int = Field(description="Side of the small maps: min(tokens, 24)")
    seconds: float = Field(description="How long the traced run took, loading left out")


class Arithmetic(BaseModel):
    """How one attention weight came about: q·k, scaled, through the row's softmax."""

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
        description="The whole row's scores; null where the token may not look"
    )
    sink: float | None = Field(description="One more logit in the denominator, in some models")
    weights: list[float] = Field(description="The row's softmax")
    weight: float
    output: list[float] = Field(description="All tokens' values, by their weights")
    latex: str
    python: str


class ErrorDetail(BaseModel):
    """`code` and `values` fill the entry `error.<code>` of the message catalogues."""

    code: str
    values: dict[str, Any]
    message: str


class ErrorBody(BaseModel):
    """The body of every answer that is not a success."""

    error: ErrorDetail
