"""A trace: everything that a model computed for one sequence.

    trace = vitral.load("vitral-es-bert").trace("El gato duerme.")
    trace.attention(layer=5, head=2)        # [queries, keys]
    trace["layers.5.residual.post"]         # [tokens, width]
    trace.view("layers.5.attention.pattern", head=2, height=64, width=64)

Attention patterns are not stored; each requested cell is computed, exactly, from queries, keys
and log-sum-exp (`attention_record`). So a trace's memory grows with the text's length, not
with its square. Everything a trace gives is float32 on the CPU.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import index
from pathlib import Path
from typing import Literal

from torch import Tensor

from vitral.errors import VitralError, is_whole
from vitral.surfaces.surface import Surface
from vitral.surfaces.text import TextSurface
from vitral.tracing import side_tokens
from vitral.tracing.addresses import in_order, split_attention
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.given_pattern import kept_of
from vitral.tracing.attention.visibility import Range
from vitral.tracing.files.from_tensors import Layers, tensors_read
from vitral.tracing.files.save_trace import save_trace
from vitral.tracing.maps.reduced import checked_head, is_size, pooled_map, view_of
from vitral.tracing.parts import (
    Part,
    layers_of,
    not_there,
    num_layers_in,
    parts_of,
    stacked,
    unknown_part,
    without_attention,
)
from vitral.tracing.readings.read_trace import read
from vitral.tracing.readings.reading import PLAIN, Reading
from vitral.tracing.recording.selection import Recorded
from vitral.tracing.shown import Shown
from vitral.tracing.token import Token
from vitral.tracing.view import Reduction, View

Exactness = Literal["exact", "eager", "given"]


@dataclass(eq=False, repr=False)
class Trace(Shown):
    """What a model computed for one sequence; see the head of the file.

    `tokens` are those that the model read; in an encoder–decoder `tokens` are the encoder's
    and `decoder_tokens` the decoder's. `text` is None where ids or a picture were given instead.
    `surface` is what the tokens are parts of: the text, a picture, or None for bare ids. `edits`
    says what was changed of the model while it ran, a line each. `recorded` says which addresses
    were chosen, None for all. `apart` are parts that read something else than the tokens (a text
    model's vision tower), `keys` the key tokens of those parts that have more of them than of
    queries (a learned prefix).
    """

    model: str
    text: str | None
    tokens: list[Token]
    decoder_tokens: list[Token] = field(default_factory=list)
    values: dict[str, Tensor] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    attentions: dict[str, AttentionRecord] = field(default_factory=dict)
    edits: list[str] = field(default_factory=list)
    _pooled: dict[tuple[str, int, str], Tensor] = field(default_factory=dict)
    surface: Surface | None = None
    apart: frozenset[str] = frozenset()
    recorded: Recorded | None = None
    reading: Reading = PLAIN
    """How its weights are read: as they are, unless `read` made it."""
    base: "Trace | None" = None
    """The trace whose weights are read in that way."""
    keys: dict[str, list[Token]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.surface is None and self.text is not None:
            self.surface = TextSurface(self.text)

    def __repr__(self) -> str:
        size = f"{len(self.tokens)} tokens, {self.num_layers} layers, {self.num_heads} heads"
        return f"<Trace of {self.model}: {size}>"

    @property
    def parts(self) -> list[str]:
        """What `part` may be: [""] for most models; "encoder", "decoder", "cross" for some."""
        return list(parts_of(self.attentions))

    @property
    def first_part(self) -> str:
        """The part that is meant where none is named.

        Raises VitralError `no_attention` for a trace of a model without any.
        """
        return self.part().name

    def part(self, name: str | None = None) -> Part:
        """A part by its name, by default the first: the name, the stack it stands in.

        Raises VitralError `part_unknown`, or `part_single` where there is only one, and
        `no_attention` for a model without any.
        """
        parts = parts_of(self.attentions)
        if not parts and self.recorded is not None:
            raise self.recorded.missing("attention.pattern")
        if not parts:
            raise VitralError("no_attention", model=self.model)
        found = next(iter(parts.values())) if name is None else parts.get(name)
        if found is None:
            raise unknown_part(name, parts)
        return found

    def layers(self, part: str | None = None) -> dict[int, AttentionRecord]:
        """The attentions of a part by their layer's number, the first layer first.

        Numbers may have gaps: a block without attention has none. Raises VitralError as `part`.
        """
        return layers_of(self.part(part), self.attentions)

    def record(self, layer: int, part: str | None = None) -> AttentionRecord:
        """The attention of one layer of a part.

        Raises VitralError `layer_out_of_range`, `layer_without_attention`, and as `part`.
        """
        records = self.layers(part)
        if is_whole(layer) and index(layer) in records:
            return records[index(layer)]
        blocks = self.num_blocks(part)
        if not is_whole(layer) or not 0 <= layer < blocks:
            raise VitralError("layer_out_of_range", layer=layer, num_layers=blocks)
        address = self.part(part).address("attention.pattern", layer)
        if self.recorded is not None and not self.recorded.covers(address):
            raise self.recorded.missing(address)
        raise without_attention(self.model, layer, records)

    def num_blocks(self, part: str | None = None) -> int:
        """How many layers the stack of a part has, with attention or without."""
        if self.base is not None:
            return self.base.num_blocks(part)
        stack = self.part(part).stack
        if self.recorded is not None:
            return self.recorded.num_layers.get(stack, 0)
        return num_layers_in(stack, (*self.attentions, *self.values, *self.aliases))

    @property
    def num_layers(self) -> int:
        """Layers, with attention or without (of the first part, where there are several); 0 for
        a model without any attention."""
        return self.num_blocks() if self.attentions else 0

    @property
    def num_heads(self) -> int:
        """Query heads in a layer (of the first part, where there are several)."""
        return next(iter(self.layers().values())).num_heads if self.attentions else 0

    @property
    def causal(self) -> bool:
        """Whether no token sees a later one (in the first part)."""
        if not self.attentions:  # a recurrent network
            return True
        return all(record.visibility.is_causal for record in self.layers().values())

    @property
    def exactness(self) -> Exactness:
        """Where the patterns come from: "exact" means rebuilt from queries and keys, or recorded as
        the model ran, as always if its attention can be recorded; "eager" if some are those
        that the model's eager attention returned, which are then in memory whole; "given" if
        the trace was made from them. Where a model's implementations give different results
        (Falcon with ALiBi), "exact" means those of the one that it runs with.
        """
        sources = {getattr(record, "source", "exact") for record in self.attentions.values()}
        return "eager" if "eager" in sources else "given" if "given" in sources else "exact"

    def attention(self, layer: int, head: int, part: str | None = None) -> Tensor:
        """One head's attention weights, float32 [queries, keys]; each row sums to one.

        Layers and heads count from 0. `part` is one of `parts`, by default the first.
        Raises VitralError `layer_out_of_range`, `head_out_of_range`, `part_unknown`,
        `layer_without_attention`, and `no_attention` for a trace of a model without any.
        """
        record = self.record(layer, part)
        return record.pattern(checked_head(record.num_heads, head))[0].cpu()

    def read(
        self, *, resting: bool = True, words: bool = False, heads: Sequence[int] | None = None
    ) -> "Trace":
        """The same weights read in another way, as a trace that everything here can show.

        Done in this order: `resting=False` leaves out the keys at which heads rest (special
        tokens; in a causal part the first token) and scales the rest of each row to one; `heads`
        takes the mean of these heads of each layer, which then has one head; `words` joins the
        pieces of each word, summed as keys and averaged as queries. See `readings.reading`.

        Raises VitralError `head_out_of_range`, `reading_heads`, `reading_tokens`.
        """
        reading = Reading(resting, words, None if heads is None else tuple(heads))
        if reading.is_plain:
            return self
        base, reading = self.base or self, self.reading.and_then(reading)
        found = read(base, reading)
        return Trace(
            base.model,
            base.text,
            found.tokens,
            found.decoder_tokens,
            attentions=found.attentions,
            edits=base.edits,
            surface=base.surface,
            reading=reading,
            base=base,
        )

    def addresses(self) -> list[str]:
        """Every address that this trace has, in the order of computation."""
        attention = [
            f"{prefix}.{part}"
            for prefix, record in self.attentions.items()
            for part in kept_of(record)
        ]
        return in_order([*attention, *self.values, *self.aliases])

    def __contains__(self, address: object) -> bool:
        return address in self.addresses()

    def __getitem__(self, address: str) -> Tensor:
        """The whole value at an address; shapes in `vitral.tracing.addresses`.

        Raises VitralError `address_unknown`, naming the nearest ones, and
        `layer_without_attention`, naming the layers that have it.
        """
        value = self.values.get(self.aliases.get(address, address))
        if value is not None:
            return value.float().cpu()
        prefix, part = split_attention(address)
        record = self.attentions.get(prefix)
        if record is None or part not in kept_of(record):
            raise not_there(self, address)
        if part == "pattern":
            return record.pattern().cpu()
        kept = {"q": record.query, "k": record.key, "v": record.value, "lse": record.lse}
        return kept[part].float().cpu()

    def view(
        self,
        address: str,
        head: int | None = None,
        *,
        rows: Range | None = None,
        columns: Range | None = None,
        height: int = 256,
        width: int = 256,
        cell: int | None = None,
        reduction: Reduction = "mean",
    ) -> View:
        """Some rows and columns of the matrix at an address, in at most height × width cells.

        With `cell`, in cells of that many rows and columns, counted from the first; the last
        ones may be narrower. `head` is needed where the value has heads (`pattern`, `q`, `k`,
        `v`). `rows` and `columns` are (first, one past the last), by default all. Cells are
        exact if there are enough, otherwise the mean or maximum of what they cover (in a causal
        pattern that includes the cells that are always zero), and `aggregated` is true.

        Raises VitralError `address_unknown`, `head_out_of_range`, `head_needed`,
        `rows_out_of_range`, `columns_out_of_range`, `view_size`.
        """
        return view_of(
            self,
            address,
            head,
            rows=rows,
            columns=columns,
            height=height,
            width=width,
            cell=cell,
            reduction=reduction,
        )

    def pooled(
        self, size: int = 24, part: str | None = None, reduction: Reduction = "mean"
    ) -> Tensor:
        """A small map of every head: float32 [layers, heads, s, s'], s = min(size, tokens).

        Where a layer has no attention, or fewer heads than another, it is NaN. Cells are means, or
        maxima. Up to a `size` of 256 they are made of the maps that the pass over the patterns
        keeps (past 256 tokens, of whole cells of these); larger ones are computed from the
        patterns. Where layers read different numbers of tokens (Swin), each has as many cells
        as the shortest. Computed once and kept.
        """
        if not is_size(size) or reduction not in ("mean", "max"):
            raise VitralError("view_size", height=size, width=size, reduction=reduction)
        name = (part or self.first_part, size, reduction)
        if name not in self._pooled:
            layers = self.layers(part)
            shapes = {(each.num_queries, each.num_keys) for each in layers.values()}
            if len(shapes) > 1:
                size = min(size, *(min(shape) for shape in shapes))
            maps = {layer: pooled_map(each, size, reduction) for layer, each in layers.items()}
            self._pooled[name] = stacked(maps, self.num_blocks(part))
        return self._pooled[name]

    def tensors(self) -> list[Tensor]:
        """Every tensor that the trace keeps: values, attentions and what was computed of them."""
        kept = [*self.values.values(), *self._pooled.values()]
        for record in self.attentions.values():
            kept += [record.query, record.key, record.value, record.lse]
            if record.is_measured:
                kept += record.measures.tensors()
        return kept

    @staticmethod
    def from_tensors(
        queries: Layers | None = None,
        keys: Layers | None = None,
        values: Layers | None = None,
        *,
        patterns: Layers | None = None,
        mask: Tensor | None = None,
        bias: Tensor | None = None,
        causal: bool = False,
        scaling: float | None = None,
        tokens: "Sequence[str] | None" = None,
        name: str = "tensors",
    ) -> "Trace":
        """A trace of one sequence's tensors that were computed elsewhere.

        Give, for each layer (a list, or one tensor whose first dimension is the layers), queries
        [heads, tokens, width] with keys and values [key heads, tokens, width]; or, where nothing
        else is known, `patterns` [heads, queries, keys]. `mask` (True: visible) and `bias`
        (added to the scores) are [queries, keys] or [heads, queries, keys], the same for all
        layers; `causal` lets query t see keys 0 … t; `scaling` is 1/√width by default.

        Raises VitralError `tensors_unfit`, `pattern_unreadable`.
        """
        read, attentions = tensors_read(
            queries,
            keys,
            values,
            patterns=patterns,
            mask=mask,
            bias=bias,
            causal=causal,
            scaling=scaling,
            tokens=tokens,
        )
        return Trace(name, None, read, attentions=attentions)

    def query_tokens(self, part: str | None = None) -> list[Token]:
        """The query tokens of a part: for an encoder–decoder's "decoder" and
        "cross" its decoder's. A part that reads something else than the tokens (`apart`) has
        tokens that go by their places. Raises VitralError `part_unknown`.
        """
        return side_tokens.query_tokens(self, self.part(part))

    def key_tokens(self, part: str | None = None) -> list[Token]:
        """The key tokens of a part: for "cross" those of the other
        text. Raises VitralError `part_unknown`."""
        return side_tokens.key_tokens(self, self.part(part))

    def query_surface(self, part: str | None = None) -> Surface | None:
        """The text or picture that the query tokens are parts of. Queries and keys may have
        different surfaces. None if it is not kept: bare ids, a decoder's answer.
        Raises VitralError `part_unknown`."""
        return self.surface if self.query_tokens(part) is self.tokens else None

    def key_surface(self, part: str | None = None) -> Surface | None:
        """The text or picture that the key tokens are parts of, as `query_surface`."""
        return self.surface if self.key_tokens(part) is self.tokens else None

    def save(self, path: str | Path) -> None:
        """Write the trace to a file that `vitral.open_trace` reads.

        Raises VitralError `trace_not_whole` for a trace of chosen addresses, and
        `reading_not_saved` for one that `read` made: save its `base`.
        """
        if self.base is not None:
            raise VitralError("reading_not_saved")
        if self.recorded is not None:
            raise VitralError("trace_not_whole", chosen=", ".join(self.recorded.chosen))
        save_trace(self, Path(path))
