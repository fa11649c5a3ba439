"""Editing a model: what would it compute if this head looked elsewhere, or not at all?

    with model.edit() as edit:
        edit.silence(layer=2, head=5)
        edit.set_cell(layer=3, head=0, row=7, column=2, value=0.9)
        edit.patch("layers.4.residual.post", another_trace, tokens=[3])
        edited = model.trace(text)
    difference(model.trace(text), edited)

Inside the block everything that the module computes is edited: traces, its own forward,
generation. After the block, and after an error, it is as it was before. Layers, heads and tokens
count from 0; rows are tokens that look, columns tokens that are looked at.
"""

import re
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.models import description
from vitral.nn.attention_call import editor
from vitral.tracing.addresses import unknown
from vitral.tracing.editing.edit_input import (
    check_finite_numbers,
    check_weights,
    place_of,
    read_numbers,
    shape_of,
    taken_from,
)
from vitral.tracing.editing.edited_run import EditedRun
from vitral.tracing.editing.pattern_order import Blank, Cell, Column, Even, Order, Rows, Scale
from vitral.tracing.editing.value_patch import ValuePatch
from vitral.tracing.parts import unknown_part, without_attention
from vitral.tracing.recording.attention_function import attention_through_vitral
from vitral.tracing.recording.compiled import as_written
from vitral.tracing.recording.layers import find_layers
from vitral.tracing.recording.observed import lock_of

_OF_A_LAYER = re.compile(
    r"residual\.(pre|mid|post)|mlp\.out|(cross_)?attention(_\d+)?\.(q|k|v|out|pattern)"
)


class Edit:
    """The edits of `module`, inside `with Edit(module) as edit:`.

    Edits add up; where two conflict, the later one counts. Wrong layers and addresses are refused
    at once; heads, tokens and shapes when a run meets them; and an edit that a run did not come
    to is an error, so that no run is less edited than it seems.

    `part` is that of `Trace.attention` ("encoder", "decoder", "cross"; by default the first).
    `texts` limits an edit to some texts of a batch, counted from 0.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self._run = EditedRun(module)
        self._undo: ExitStack | None = None
        self._layers: dict[str, int] = {}
        self._without: dict[str, set[int]] = {}  # the numbers of those without attention
        for layer in find_layers(module):
            number = self._layers.get(layer.part, 0)
            self._layers[layer.part] = number + 1
            if not layer.has_attention:
                self._without.setdefault(layer.part, set()).add(number)
        for part, number in self._layers.items():  # ALBERT has one layer and enters it often
            named = description.number(module, "num_hidden_layers", "num_layers")
            if named is not None and len(self._layers) == 1:
                self._layers[part] = max(number, named)

    def __enter__(self) -> "Edit":
        if self._undo is not None:
            raise VitralError("edit_open", model=type(self.module).__name__)
        outer = editor.get()
        while isinstance(outer, EditedRun):
            if outer.module is self.module:
                raise VitralError("edit_open", model=type(self.module).__name__)
            outer = outer.outer
        with ExitStack() as undo:
            undo.enter_context(lock_of(self.module))
            undo.enter_context(as_written(self.module))
            undo.enter_context(attention_through_vitral(self.module))
            self._run.install(undo)
            before = editor.get()
            self._run.outer = before if isinstance(before, EditedRun) else None
            token = editor.set(self._run)
            undo.callback(editor.reset, token)
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._undo is not None
        self._undo.__exit__(kind, error, traceback)
        self._undo = None
        asked: list[Order | ValuePatch] = [*self._run.orders, *self._run.patches]
        if error is None and self._run.num_passes:
            for each in asked:
                if not each.ever:
                    raise VitralError("edit_not_reached", what=each.description)

    @property
    def num_weights(self) -> int:
        """How many attention weights the edits have cost so far: each one that was computed."""
        return self._run.num_weights

    @property
    def descriptions(self) -> list[str]:
        """The edits in words, a line each; traces of edited runs carry them."""
        return self._run.descriptions

    def clear(self) -> None:
        """Undo all edits."""
        self._run.orders.clear()
        self._run.patches.clear()

    def silence(
        self,
        layer: int,
        head: int,
        *,
        part: str | None = None,
        texts: Sequence[int] | None = None,
    ) -> None:
        """The head adds nothing: its pattern is all zeros, and so is its output."""
        self._order(Scale, "silence", layer, head, part, texts, factor=0.0)

    def scale(
        self,
        layer: int,
        head: int,
        factor: float | Tensor,
        *,
        part: str | None = None,
        texts: Sequence[int] | None = None,
    ) -> None:
        """The head's output times `factor`: a number, or a tensor, with one entry for each text
        of a batch if it has a dimension. Gradients reach it."""
        check_finite_numbers("scale", factor)
        self._order(Scale, "scale", layer, head, part, texts, factor=factor)

    def uniform(
        self,
        layer: int,
        head: int,
        *,
        rows: Sequence[int] | None = None,
        part: str | None = None,
        texts: Sequence[int] | None = None,
    ) -> None:
        """The head (or some rows of it) looks evenly at every token it may see."""
        places = None if rows is None else tuple(map(place_of, rows))
        self._order(Even, "uniform", layer, head, part, texts, rows=places)

    def set_cell(
        self,
        layer: int,
        head: int,
        row: int,
        column: int,
        value: float,
        *,
        raw: bool = False,
        part: str | None = None,
        texts: Sequence[int] | None = None,
    ) -> None:
        """Token `row` looks at token `column` with the weight `value`.

        The rest of the row is scaled in proportion, so that it still sums to one; cells set
        before keep their values. If `raw`, the rest stays as it is, and any value at any cell
        will do.
        """
        what = self._named("cell", layer, head, f"{row},{column}")
        check_weights(what, torch.tensor([float(value)]), raw)
        place = {"row": place_of(row), "column": place_of(column)}
        self._order(Cell, what, layer, head, part, texts, **place, value=float(value), raw=raw)

    def set_column(
        self,
        layer: int,
        head: int,
        column: int,
        values: Any,
        *,
        raw: bool = False,
        part: str | None = None,
        texts: Sequence[int] | None = None,
    ) -> None:
        """Every token attends to token `column` with its weight of `values` [T]. With one number,
        this is the weight of all tokens that see `column` and others (one that sees no other
        keeps its 1). Renormalised as in `set_cell`."""
        what = self._named("column", layer, head, str(column))
        values = read_numbers(what, values)
        check_weights(what, values, raw)
        if values.dim() > 1:
            raise VitralError("edit_shape", what=what, given=shape_of(values), wanted="T")
        given = values if values.dim() else float(values)
        self._order(
            Column, what, layer, head, part, texts, column=place_of(column), values=given, raw=raw
        )

    def set_row(
        self,
        layer: int,
        head: int,
        row: int,
        values: Any,
        *,
        raw: bool = False,
        part: str | None = None,
        texts: Sequence[int] | None = None,
    ) -> None:
        """Token `row` looks at all tokens with the weights `values` [S].

        They are divided by their sum; if `raw`, they are taken as they are.
        """
        what = self._named("row", layer, head, str(row))
        values = read_numbers(what, values)
        if values.dim() != 1:
            raise VitralError("edit_shape", what=what, given=shape_of(values), wanted="S")
        check_weights(what, values, raw, most=None)
        if not raw and not bool(values.sum() > 0):
            raise VitralError("edit_row_empty", what=what)
        weights = values[None] if raw else values[None] / values.sum()
        rows = (place_of(row),)
        self._order(
            Rows, what, layer, head, part, texts, rows=rows, weights=weights, checked=not raw
        )

    def blank(
        self, token: int, *, layers: Sequence[int] | None = None, part: str | None = None
    ) -> None:
        """Hide a token from all tokens, itself included, in all layers with attention or some.

        The rest of every row is scaled up; a token that could see no other attends to nothing.
        """
        part, number = self._part(part)
        stack = "decoder" if part == "cross" else part
        every = (each for each in range(number) if each not in self._without.get(stack, ()))
        for layer in every if layers is None else layers:
            self._order(Blank, f"blank {token}", layer, None, part, None, token=place_of(token))

    def patch(
        self,
        address: str,
        value: Any,
        *,
        tokens: int | Sequence[int] | None = None,
        head: int | None = None,
    ) -> None:
        """Another value at an address, for all tokens or some: activation patching.

        `value` is a trace (its value at the same address, of the same tokens and head), a tensor
        shaped as the address's (for one token [C], for several [n, C]; with one head, without
        the heads' dimension), or a number. Patched patterns are taken as they are, with no
        renormalisation.

        Raises VitralError `address_unknown`, `edit_not_finite`.
        """
        places = (tokens,) if isinstance(tokens, int) else tokens
        places = None if places is None else tuple(map(place_of, places))
        self._check(address)
        what = f"patch {address}"
        what += "" if head is None else f" head {head}"
        what += "" if places is None else f" tokens {','.join(map(str, places))}"
        if not isinstance(value, Tensor) and hasattr(value, "attentions"):
            value = taken_from(value, address, places, head)
        elif not isinstance(value, int | float):
            value = read_numbers(what, value)
            if isinstance(tokens, int):
                value = value.unsqueeze(-2)
        check_finite_numbers(what, value)
        prefix, _, last = address.rpartition(".")
        if last == "pattern":
            self._patch_pattern(what, prefix, value, places, head)
            return
        if head is not None and last not in ("q", "k", "v"):
            raise VitralError("edit_no_heads", address=address)
        self._ready()
        self._run.patches.append(ValuePatch(what, address, value, places, head))

    def _patch_pattern(
        self,
        what: str,
        prefix: str,
        value: Any,
        rows: tuple[int, ...] | None,
        head: int | None,
    ) -> None:
        if not isinstance(value, Tensor) or value.dim() != (3 if head is None else 2):
            given = shape_of(value) if isinstance(value, Tensor) else "1"
            raise VitralError(
                "edit_shape", what=what, given=given, wanted="T×S" if head is not None else "H×T×S"
            )
        self._ready()
        self._run.orders.append(Rows(what, prefix, head, rows=rows, weights=value))

    def _order(
        self,
        kind: type[Order],
        what: str,
        layer: int,
        head: int | None,
        part: str | None,
        texts: Sequence[int] | None,
        **details: Any,
    ) -> None:
        part, number = self._part(part)
        if not 0 <= layer < number:
            raise VitralError("layer_out_of_range", layer=layer, num_layers=number)
        self._check_attention("decoder" if part == "cross" else part, layer)
        self._ready()
        start = {"": "", "cross": "decoder."}.get(part, f"{part}.")
        word = "cross_attention" if part == "cross" else "attention"
        prefix = f"{start}layers.{layer}.{word}"
        of_texts = None if texts is None else frozenset(texts)
        named = what if head is None or " " in what else f"{what} head {head}"
        self._run.orders.append(kind(f"{prefix}: {named}", prefix, head, of_texts, **details))

    def _named(self, what: str, layer: int, head: int, place: str) -> str:
        return f"set {what} {place} of head {head}"

    def _part(self, part: str | None) -> tuple[str, int]:
        """A part's name, and how many layers it has."""
        known = sorted(self._layers, key=lambda each: each != "encoder")
        known += ["cross"] if {"encoder", "decoder"} <= set(known) else []
        if not known:
            name = type(self.module).__name__
            raise VitralError("not_traceable", model=name, reason="AttentionInterface")
        part = known[0] if part is None else part
        if part not in known:
            raise unknown_part(part, known)
        return part, self._layers["decoder" if part == "cross" else part]

    def _check(self, address: str) -> None:
        """Raises VitralError for an address that no value of this module can have."""
        known = ["logits", "output"]
        for part, number in self._layers.items():
            start = f"{part}." if part else ""
            if address == f"{start}embed":
                return
            for layer in range(number):
                before = f"{start}layers.{layer}."
                if address.startswith(before) and _OF_A_LAYER.fullmatch(address[len(before) :]):
                    if "attention" in address[len(before) :]:
                        self._check_attention(part, layer)
                    return
                known += [f"{before}{each}" for each in ("residual.post", "attention.out")]
                known += [f"{before}attention.{each}" for each in ("q", "k", "v", "pattern")]
                known += [f"{before}{each}" for each in ("residual.pre", "residual.mid", "mlp.out")]
            known.append(f"{start}embed")
        if address not in ("logits", "output"):
            raise unknown(address, known)

    def _check_attention(self, stack: str, layer: int) -> None:
        """Raises VitralError `layer_without_attention`."""
        missing = self._without.get(stack, set())
        if layer in missing:
            known = [each for each in range(self._layers[stack]) if each not in missing]
            raise without_attention(type(self.module).__name__, layer, known)

    def _ready(self) -> None:
        if self._undo is None:
            raise VitralError("edit_closed")
