"""The bodies and lines that Studio and the Write room exchange: one Pydantic model each.

A position in a text that is being written consists of its beginning and the ids written after it;
the page sends them, so Studio can discard its cache and read the text again.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from vitral.studio.gate.error_body import ErrorDetail

MOST_TOKENS = 4096
"""Ids that one request may name; the limit on tokens is `Limits.tokens`."""

TokenId = Annotated[int, Field(ge=0, le=10_000_000)]
StopString = Annotated[str, Field(min_length=1, max_length=100)]
Seed = Annotated[int, Field(ge=0, le=2**53 - 1)]


class WritingPlace(BaseModel):
    """A position in a text: its beginning, and the ids written after it."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(min_length=1, max_length=500)
    text: str
    written: list[TokenId] = Field(default=[], max_length=MOST_TOKENS)
    windowed: bool = Field(
        default=False, description="A full context: go on from its last half, or end"
    )


class NextTokenRequest(WritingPlace):
    """What follows, and where the most recent token attends: one head, or the mean of several."""

    layer: int | None = Field(default=None, ge=0, le=10_000, description="null: all layers")
    head: int | None = Field(default=None, ge=0, le=10_000, description="null: all its heads")


class SamplingSettings(BaseModel):
    """How a token is chosen: `vitral.generation.sampling.Sampling`."""

    model_config = ConfigDict(extra="forbid")

    temperature: float = Field(default=0, ge=0, le=100, allow_inf_nan=False)
    top_k: int | None = Field(default=None, ge=1, le=10_000_000)
    top_p: float | None = Field(default=None, gt=0, le=1, allow_inf_nan=False)
    min_p: float | None = Field(default=None, gt=0, le=1, allow_inf_nan=False)
    repetition_penalty: float = Field(default=1, gt=0, le=100, allow_inf_nan=False)


class StreamRequest(NextTokenRequest):
    """Continue a text from a position."""

    settings: SamplingSettings = SamplingSettings()
    seed: Seed = 0
    stop: list[StopString] = Field(default=[], max_length=16)
    max_new_tokens: int = Field(default=40, ge=1, le=MOST_TOKENS)


class Strategy(BaseModel):
    """One strategy: sampling with settings or, with `num_beams`, beam search."""

    model_config = ConfigDict(extra="forbid")

    settings: SamplingSettings = SamplingSettings()
    num_beams: int | None = Field(default=None, ge=1, le=16)


class RaceRequest(WritingPlace):
    """Continue a text from one position with several strategies."""

    strategies: list[Strategy] = Field(min_length=1, max_length=8)
    seed: Seed = 0
    stop: list[StopString] = Field(default=[], max_length=16)
    max_new_tokens: int = Field(default=40, ge=1, le=1024)


class PieceOfText(BaseModel):
    """A token, and the text that it adds: none for a part of a character, until its last part.
    `name` is the name of a token that is not text: a special token, or bytes."""

    id: int
    piece: str
    name: str | None


class TokenShare(BaseModel):
    """A candidate for the next token."""

    id: int
    log_probability: float
    share: float


class WrittenToken(BaseModel):
    """A line of a stream: a token that was written."""

    token: PieceOfText
    share: float = Field(description="How likely it was to be chosen, under the settings")
    log_probability: float = Field(description="The model's own, in nats, nothing changed")
    rank: int = Field(description="From 1: the model's most likely token")
    candidates: list[TokenShare] = Field(description="The most likely, before it was chosen")
    attention: list[float] = Field(
        description="Weights of the token before it on the tokens from `start`; to 6 decimals"
    )
    cross: list[float] = Field(description="Its weights on what an encoder read; else empty")
    start: int
    cache_bytes: int


class StreamEnd(BaseModel):
    """The last line of a stream: why it ended. `kept` is the number of written characters before
    a stop string; null without one."""

    end: Literal["end", "context", "stop", "length"]
    kept: int | None


class RaceColumn(BaseModel):
    """A line of a race: what one strategy has written so far."""

    column: int
    ids: list[int]
    text: str
    mean_log_probability: float | None = Field(
        description="Of its tokens, in nats; the model's own"
    )
    end: Literal["end", "context", "stop", "length"] | None


class Vocabulary(BaseModel):
    """The names of a model's tokens: index i is token i."""

    texts: list[str]
    special: list[int]
    parts: dict[int, str] = Field(description="Tokens that are no whole character: their bytes")


class StreamFailure(BaseModel):
    """A line of a stream or a race: an error after its start."""

    error: ErrorDetail


class NextTokenHeader(BaseModel):
    """The header of the block of a next token: see `next_token_block`."""

    vocabulary: int
    cross: int
    prompt: list[PieceOfText]
    opening: list[PieceOfText]
    written: list[PieceOfText]
    start: int
    context: int | None
    cache_bytes: int
    ended: Literal["end", "context"] | None
    num_layers: int
    num_heads: int
    layer: int | None
    head: int | None
