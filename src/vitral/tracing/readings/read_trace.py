"""A trace read in another way: a trace again, so that everything that looks at traces looks at it.

    trace.read(resting=False)              # without the tokens at which heads rest
    trace.read(words=True)                 # words instead of pieces
    trace.read(heads=[0, 3], words=True)   # the mean of two heads of each layer, by words

What is read are the weights. Values such as the residual stream belong to the tokens of the
model; a trace that is read has none of them, and is not saved: the trace that it reads is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from vitral.errors import VitralError
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.edited_record import EditedRecord
from vitral.tracing.attention.visibility import Visibility
from vitral.tracing.parts import layers_of, parts_of
from vitral.tracing.readings.read_record import ReadRecord
from vitral.tracing.readings.reading import Reading
from vitral.tracing.readings.resting import resting_keys, without_keys
from vitral.tracing.readings.word_groups import word_edges, words_as_tokens
from vitral.tracing.token import Token

if TYPE_CHECKING:
    from vitral.tracing.trace import Trace


@dataclass(frozen=True, eq=False)
class Read:
    """What a trace that is read has in the place of the trace's own."""

    tokens: list[Token]
    decoder_tokens: list[Token]
    attentions: dict[str, AttentionRecord]


def read(trace: "Trace", reading: Reading) -> Read:
    """Tokens and attentions of the trace as they are read.

    Raises VitralError `head_out_of_range`, and `reading_tokens` where words are asked for and the
    trace does not name its tokens.
    """
    reader = _Reader(trace, reading)
    attentions: dict[str, AttentionRecord] = {}
    for name, part in parts_of(trace.attentions).items():
        for layer, record in layers_of(part, trace.attentions).items():
            attentions[part.address("attention", layer)] = reader.read(record, name)
    tokens, others = trace.tokens, trace.decoder_tokens
    if reading.words:
        tokens, others = (words_as_tokens(each, word_edges(each)) for each in (tokens, others))
    return Read(tokens, others, attentions)


class _Reader:
    def __init__(self, trace: "Trace", reading: Reading) -> None:
        self.trace, self.reading = trace, reading
        self.rules: dict[int, Visibility] = {}

    def read(self, record: AttentionRecord, part: str) -> AttentionRecord:
        left_out: Tensor | None = None
        if not self.reading.resting:
            left_out = resting_keys(record, self.trace.key_tokens(part))
            if not isinstance(record, EditedRecord):
                record, left_out = without_keys(record, left_out, self.rules), None
        if left_out is None and self.reading.heads is None and not self.reading.words:
            return record
        rows = columns = None
        if self.reading.words:
            rows = self._edges(self.trace.query_tokens(part), record.num_queries)
            columns = self._edges(self.trace.key_tokens(part), record.num_keys)
        return ReadRecord.reading(
            record,
            heads=self.reading.heads,
            row_edges=rows,
            column_edges=columns,
            left_out=left_out,
        )

    def _edges(self, tokens: Sequence[Token], length: int) -> list[int]:
        if len(tokens) != length:
            raise VitralError("reading_tokens", model=self.trace.model)
        return word_edges(tokens)
