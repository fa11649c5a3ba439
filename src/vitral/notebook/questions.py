"""What the picture may ask of a trace, and the answers: those of Studio, without a server.

A question is a name and its values; an answer is JSON or one binary block, as
docs/studio-api.md describes them. Only what is looked at is computed: a small map of every head,
then views of at most 256 × 256 cells.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import vitral
from vitral.errors import VitralError
from vitral.showing.page_data import checked_records
from vitral.studio import schemas
from vitral.studio.blocks import encode_block, quantize
from vitral.studio.limits import Limits
from vitral.studio.query_key import MOST_KEYS, query_key_block
from vitral.studio.summary import part_of
from vitral.studio.views import ViewRequest, view_block

if TYPE_CHECKING:
    from vitral.tracing.token import Token
    from vitral.tracing.trace import Trace

_Range = tuple[int, int]
_LIMITS = Limits()


class Question(BaseModel):
    """A question by its name, numbered by who asks, so that the answer finds its way back."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(max_length=100)
    ask: str = Field(max_length=100)
    values: dict[str, Any]


class Nothing(BaseModel):
    """A question that needs no values."""

    model_config = ConfigDict(extra="forbid")


class ViewQuestion(BaseModel):
    """A part of one value, and into how many cells. Ranges are [first, one past the last]."""

    model_config = ConfigDict(extra="forbid")

    address: str = Field(max_length=200)
    head: int | None = Field(default=None, ge=0)
    rows: _Range | None = None
    columns: _Range | None = None
    height: int | None = Field(default=None, ge=1)
    width: int | None = Field(default=None, ge=1)
    cell: int | None = Field(default=None, ge=1)
    reduction: Literal["mean", "max"] = "mean"


class CellQuestion(BaseModel):
    """One weight: which token looks at which, in which head."""

    model_config = ConfigDict(extra="forbid")

    part: str = Field(max_length=20)
    layer: int = Field(ge=0)
    head: int = Field(ge=0)
    query: int = Field(ge=0)
    key: int = Field(ge=0)


class QueryKeyQuestion(BaseModel):
    """One token's query and the keys of some tokens, component by component."""

    model_config = ConfigDict(extra="forbid")

    part: str = Field(max_length=20)
    layer: int = Field(ge=0)
    head: int = Field(ge=0)
    query: int = Field(ge=0)
    keys: list[int] = Field(max_length=MOST_KEYS)


class Answers:
    """Answers about one part of a trace.

    Raises VitralError `page_tokens_missing`, `page_layers` and `trace_not_drawn` where the picture
    cannot show it.
    """

    def __init__(self, trace: "Trace", part: str) -> None:
        self.trace, self.part = trace, part
        self.records = checked_records(trace, part)
        self.tokens, self.keys = trace.query_tokens(part), trace.key_tokens(part)
        self.described = part_of(trace, part)
        self.num_layers, self.num_heads = len(self.records), self.records[0].num_heads
        self._asked: dict[str, tuple[type[BaseModel], Callable[[Any], BaseModel | bytes]]] = {
            "studio": (Nothing, lambda _: self.studio()),
            "trace": (Nothing, lambda _: self.summary()),
            "pooled": (Nothing, lambda _: self.pooled()),
            "view": (ViewQuestion, self.view),
            "query_key": (QueryKeyQuestion, self.query_key),
            "arithmetic": (CellQuestion, self.arithmetic),
        }

    def answer(self, ask: str, values: Mapping[str, Any]) -> dict[str, Any] | bytes:
        """What is asked, as JSON can carry it or as a block.

        Raises VitralError `request_invalid`, and what computing the answer raises.
        """
        if ask not in self._asked:
            raise VitralError("request_invalid", field="ask", reason=", ".join(self._asked))
        expected, work = self._asked[ask]
        try:
            found = work(expected.model_validate(values))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(step) for step in first["loc"])
            raise VitralError("request_invalid", field=field, reason=first["msg"]) from error
        return found if isinstance(found, bytes) else found.model_dump()

    def studio(self) -> schemas.Studio:
        """What there is to look at: this one model, this one text."""
        described = schemas.ModelDescription(
            name=self.trace.model,
            title=self.trace.model,
            kind="decoder" if self.causal else "encoder",
            num_layers=self.num_layers,
            num_heads=self.num_heads,
            context=None,
            architecture="",
            bundled=False,
        )
        return schemas.Studio(
            version=vitral.__version__,
            default_model=self.trace.model,
            default_text=self.text,
            max_text_bytes=0,
            max_tokens=len(self.tokens),
            max_trace_file_bytes=0,
            models=[described],
        )

    def summary(self) -> schemas.Trace:
        """The trace without its numbers."""
        two = self.described.queries == "decoder_tokens"
        return schemas.Trace(
            id="notebook",
            model=self.trace.model,
            text=self.text,
            num_layers=self.num_layers,
            num_heads=self.num_heads,
            causal=self.causal,
            exactness=self.trace.exactness,
            parts=[self.described],
            num_tokens=len(self.trace.tokens if two else self.tokens),
            tokens=_told(self.trace.tokens if two else self.tokens),
            decoder_tokens=_told(self.tokens if two else []),
            answer=None,
            edits=self.trace.edits,
            opened=None,
            pooled_size=self._side,
            seconds=0.0,
        )

    def pooled(self) -> bytes:
        """uint8 [layers, heads, s, s], a small map of every head, with each head's scale."""
        values, scale = quantize(self.trace.pooled(self._side, self.part).numpy())
        return encode_block(values, aggregated=self._side < self._longest, scale=scale)

    def view(self, asked: ViewQuestion) -> bytes:
        """float32 [height, width] of the value at an address; see `Trace.view`."""
        request = ViewRequest(
            asked.address,
            asked.head,
            asked.rows and f"{asked.rows[0]}:{asked.rows[1]}",
            asked.columns and f"{asked.columns[0]}:{asked.columns[1]}",
            asked.height,
            asked.width,
            asked.reduction,
            asked.cell,
        )
        return view_block(self.trace, request, _LIMITS)

    def query_key(self, asked: QueryKeyQuestion) -> bytes:
        """float32 [1 + keys, width]: the query's vector, then each key's."""
        keys = ",".join(map(str, asked.keys))
        return query_key_block(self.trace, asked.layer, asked.head, asked.query, keys, asked.part)

    def arithmetic(self, asked: CellQuestion) -> schemas.Arithmetic:
        """How one weight came about, number by number."""
        from vitral.studio.arithmetic import arithmetic_of

        return arithmetic_of(
            self.trace, asked.layer, asked.head, asked.query, asked.key, part=asked.part
        )

    @property
    def text(self) -> str:
        """What was read; of a trace that was given ids, what its tokens are called."""
        if self.trace.text is not None and self.tokens is self.trace.tokens:
            return self.trace.text
        return "".join(token.text for token in self.tokens)

    @property
    def causal(self) -> bool:
        """Whether no token looks at a later one."""
        return self.described.causal

    @property
    def _side(self) -> int:
        return min(_LIMITS.pooled_side, self._longest)

    @property
    def _longest(self) -> int:
        return max(len(self.tokens), len(self.keys))


def _told(tokens: "list[Token]") -> list[schemas.Token]:
    return [schemas.Token(**asdict(token)) for token in tokens]
