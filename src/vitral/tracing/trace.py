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
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from torch import Tensor

from vitral.errors import VitralError
from vitral.surfaces.surface import Surface
from vitral.surfaces.text import TextSurface
from vitral.tracing.addresses import in_order, split_attention
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.given_pattern import kept_of
from vitral.tracing.attention.visibility import Range
from vitral.tracing.files.from_tensors import Layers, tensors_read
from vitral.tracing.files.save_trace import save_trace
from vitral.tracing.maps.reduced import checked_head, pooled_map, view_of
from vitral.tracing.parts import (
    Part,
    layers_of,
    not_there,
    num_layers_in,
    parts_of,
    stacked,
    without_attention,
)
from vitral.tracing.shown import figure, notebook, page
from vitral.tracing.token import Token
from vitral.tracing.view import Reduction, View

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vitral.figures import Kind
    from vitral.figures.colour import Scale

Exactness = Literal["exact", "eager", "given"]


@dataclass(eq=False, repr=False)
class Trace:
    """What a model computed for one sequence; see the head of the file.

    `tokens` are those that the model read; in an encoder–decoder `tokens` are the encoder's
    and `decoder_tokens` the decoder's. `text` is None where ids or a picture were given instead.
    `surface` is what the tokens are parts of: the text, a picture, or None for bare ids. `edits`
    says what was changed of the model while it ran, a line each. `keys` are the key tokens of
    those parts that have more of them than of queries (a learned prefix).
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

        Raises VitralError `part_unknown`, and `no_attention` for a model without any.
        """
        parts = parts_of(self.attentions)
        if not parts:
            raise VitralError("no_attention", model=self.model)
        found = next(iter(parts.values())) if name is None else parts.get(name)
        if found is None:
            raise VitralError("part_unknown", part=name, known=", ".join(parts))
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
        if layer in records:
            return records[layer]
        blocks = self.num_blocks(part)
        if not 0 <= layer < blocks:
            raise VitralError("layer_out_of_range", layer=layer, num_layers=blocks)
        raise without_attention(self.model, layer, records)

    def num_blocks(self, part: str | None = None) -> int:
        """How many layers the stack of a part has, with attention or without."""
        addresses = (*self.attentions, *self.values, *self.aliases)
        return num_layers_in(self.part(part).stack, addresses)

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
        """Whether no token looks at a later one (in the first part)."""
        if not self.attentions:  # a recurrent network reads on and on
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
        patterns. Computed once and kept.
        """
        if size < 1 or reduction not in ("mean", "max"):
            raise VitralError("view_size", height=size, width=size, reduction=reduction)
        name = (part or self.first_part, size, reduction)
        if name not in self._pooled:
            maps = {
                layer: pooled_map(each, size, reduction)
                for layer, each in self.layers(part).items()
            }
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

    def plot(
        self,
        kind: "Kind" = "heat",
        *,
        layer: int | None = None,
        head: int | None = None,
        part: str | None = None,
        rows: Range | None = None,
        columns: Range | None = None,
        token: int | None = None,
        reduction: Reduction | None = None,
        ceiling: float | None = None,
        shared: bool | None = None,
        scale: "Scale" = "glass",
        lifted: bool = False,
        dark: bool = False,
        width: str | float = "column",
        title: str | None = None,
        language: str | None = None,
    ) -> "Figure":
        """A matplotlib figure fit for print; `.savefig("head.pdf")` writes it (PNG, SVG, PDF).

        `kind` is "heat" (one head as a map), "lines" (two columns of tokens; `token` draws what
        one of them looks at) or "grid" (all heads). Layer and head are the first where not given;
        `rows` and `columns` (first, one past the last) choose a part. A text longer than a figure
        can show is drawn in blocks of `reduction` (maps) or groups (lines), and the figure says so.
        `ceiling` is the weight of the strongest colour, `shared` gives all heads of a grid the
        same scale. `width` is "column" (85 mm), "page", "slide", or millimetres. Made without
        pyplot, so no backend and no setting of matplotlib's is touched.

        Raises VitralError `plot_needs_matplotlib`, `figure_kind`, `figure_option`, and those of
        `view` and `vitral.figures`.
        """
        drawn: Figure = figure(
            self,
            kind,
            part=part,
            title=title,
            language=language,
            look={"scale": scale, "lifted": lifted, "dark": dark, "width": width},
            layer=layer,
            head=head,
            rows=rows,
            columns=columns,
            token=token,
            reduction=reduction,
            ceiling=ceiling,
            shared=shared,
        )
        return drawn

    def to_html(
        self,
        path: str | Path | None = None,
        *,
        part: str | None = None,
        layer: int | None = None,
        head: int | None = None,
        token: int | None = None,
        view: str | None = None,
        language: str | None = None,
        theme: str | None = None,
        most_megabytes: float = 64.0,
    ) -> str:
        """One HTML page with this trace in it, which needs no network and no server; also
        written to `path`, if one is given.

        All heads can be looked at, as lines, as a map and as numbers; the numbers are those of
        `attention`. The page opens at `layer`, `head`, `token` and `view` ("lines", "map",
        "numbers"), in the reader's own `language` and `theme` where none are given. It holds
        queries and keys, or the weights themselves where these are smaller, so that its size
        grows with the text's length.

        Raises VitralError `page_too_large`, with the size, where that is over `most_megabytes`;
        `page_tokens_missing` where the trace does not name its tokens; `page_layers`,
        `page_option`, `page_not_built`, `file_unwritable`, and those of `attention`.
        """
        content: str = page(
            self,
            path,
            part=part,
            layer=layer,
            head=head,
            token=token,
            view=view,
            language=language,
            theme=theme,
            most_megabytes=most_megabytes,
        )
        return content

    def show(self, **options: Any) -> Any:
        """The trace in a notebook: all heads to walk through, as lines, map, numbers, query and
        keys, and arithmetic. It gives a `vitral.notebook.TraceWidget`, whose layer, head, token
        and view are shared with the picture in both directions. Options and errors:
        `vitral.notebook.view`.

        A cell that ends in the trace itself shows the same.
        """
        return notebook().view(self, **options)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return notebook().bundle(self)

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
        else is known, `patterns` [heads, queries, keys]. `mask` (True: may look) and `bias`
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
        """The query tokens (those that look) of a part: for an encoder–decoder's "decoder" and
        "cross" its decoder's. Empty where they are not known. Raises VitralError `part_unknown`.
        """
        found = self.part(part)
        if found.is_cross:
            return self.decoder_tokens
        return self.decoder_tokens or self.tokens if found.name == "decoder" else self.tokens

    def key_tokens(self, part: str | None = None) -> list[Token]:
        """The key tokens (those looked at) of a part: for "cross" those of the other
        text. Raises VitralError `part_unknown`."""
        found = self.part(part)
        if found.name in self.keys:
            return self.keys[found.name]
        return self.tokens if found.is_cross else self.query_tokens(part)

    def query_surface(self, part: str | None = None) -> Surface | None:
        """The material that the tokens which look are parts of. Queries and keys may lie on two
        surfaces. None where it is not kept: bare ids, what a decoder wrote.
        Raises VitralError `part_unknown`."""
        return self.surface if self.query_tokens(part) is self.tokens else None

    def key_surface(self, part: str | None = None) -> Surface | None:
        """The material that the tokens looked at are parts of, as `query_surface`."""
        return self.surface if self.key_tokens(part) is self.tokens else None

    def save(self, path: str | Path) -> None:
        """Write the trace to a file that `vitral.open_trace` reads."""
        save_trace(self, Path(path))
