"""Carrying out the orders on an attention: new weights, and a new output, for the rows touched.

For every row that an order touches, the model's own weights are computed exactly, the cells
that were set get their values, the rest of the row is scaled so that the whole sums to one, and
the row's output is computed again: S scores and D·S multiplications a row. No other row costs
anything. Cells that were set keep their values whatever is set beside them; with sinks, the
sink is one of the cells that make room.

    new[t, s] = value[t, s]                                where a cell was set
    new[t, s] = base[t, s] · (1 − Σ set) / Σ base not set   elsewhere

Shapes: B sequences, H heads, T queries, S keys, D wide; n rows at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.nn.attention_call import AttentionCall
from vitral.nn.pattern_edit import PatternEdit
from vitral.nn.scaled_dot_product import CELLS_AT_ONCE, log_sum_exp, pattern, scores
from vitral.tracing.editing.pattern_order import (
    Blank,
    Cell,
    Column,
    Even,
    Frame,
    Order,
    Rows,
    Scale,
    text_of,
)

TOLERANCE = 1e-5
"""How far a row that was set may miss a sum of one."""


@dataclass
class _Head:
    """What the orders come to for one head of one sequence."""

    gate: float | Tensor = 1.0
    even: dict[int, None] = field(default_factory=dict)
    given: dict[int, Tensor] = field(default_factory=dict)
    # Cells that were set: row, column, value, and whether that is raw; later ones count.
    pins: list[tuple[Tensor, Tensor, Tensor, Tensor]] = field(default_factory=list)

    def forget(self, rows: Tensor) -> None:
        """Drop what was set in these rows before."""
        for row in rows.tolist():
            self.even.pop(row, None)
            self.given.pop(row, None)
        kept = [~torch.isin(pin[0], rows) for pin in self.pins]
        self.pins = [
            (r[keep], c[keep], v[keep], raw[keep])
            for (r, c, v, raw), keep in zip(self.pins, kept, strict=True)
        ]

    def pin(self, rows: Tensor, columns: Tensor, values: Tensor, raw: bool) -> None:
        self.pins.append((rows, columns, values.float(), torch.full_like(rows, raw).bool()))


def change_patterns(
    call: AttentionCall, output_BHTD: Tensor, orders: Sequence[Order], frame: Frame
) -> tuple[Tensor, AttentionCall, int]:
    """The output and the call with the orders carried out, and how many weights that took.

    Raises VitralError `head_out_of_range`, `edit_token_out_of_range`, `edit_cell_hidden`,
    `edit_row_over_one`, `edit_nothing_left`, `edit_silenced`, `edit_blanked`, `edit_shape`.
    """
    num_sequences, num_heads = max(len(call.query), len(call.key)), call.query.shape[1]
    for order in orders:
        order.check(num_sequences, num_heads)
    new_BHTD = output_BHTD.clone()
    edits: list[PatternEdit | None] = []
    num_weights = 0
    for sequence in range(num_sequences):
        parts = []
        for head in range(num_heads):
            mine = [order for order in orders if order.concerns(sequence, head)]
            if not mine:
                continue
            attention = _OneHead(call, sequence, head)
            asked = _gathered(mine, attention, frame)
            part, rows, rows_output = _carried_out(asked, attention, frame)
            given = output_BHTD[sequence, head]
            if len(rows):
                given = given.index_copy(0, rows, rows_output.to(given.dtype))
            if isinstance(asked.gate, Tensor) or asked.gate != 1:
                given = given * asked.gate
            new_BHTD[sequence, head] = given
            num_weights += len(rows) * attention.num_keys
            parts.append(part)
        edits.append(_together(parts) if parts else None)
    return new_BHTD, replace(call, edits=edits), num_weights


class _OneHead:
    """One head of one sequence of a call."""

    def __init__(self, call: AttentionCall, sequence: int, head: int) -> None:
        group = call.query.shape[1] // call.key.shape[1]
        self.call = call
        self.sequence, self.head = sequence, head
        self.query = call.query[sequence if len(call.query) > 1 else 0, head]
        of_keys = sequence if len(call.key) > 1 else 0
        self.key = call.key[of_keys, head // group]
        self.value = call.value[of_keys, head // group]
        self.num_rows, self.num_keys = len(self.query), len(self.key)
        self.device = self.query.device

    def sees(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Whether the row can see the column, for each of n cells: bool [n]."""
        seen = torch.ones(len(rows), dtype=torch.bool, device=self.device)
        if self.call.is_causal:
            seen = columns <= rows
        if self.call.mask is not None:
            mask = self._mine(self.call.mask)
            seen = seen & mask[rows if len(mask) > 1 else torch.zeros_like(rows), columns]
        return seen

    def visible(self, rows: Tensor) -> Tensor:
        """Which keys the rows can see: bool [n, S]."""
        columns = torch.arange(self.num_keys, device=self.device)
        seen = torch.ones(len(rows), self.num_keys, dtype=torch.bool, device=self.device)
        if self.call.is_causal:
            seen = columns <= rows[:, None]
        if self.call.mask is not None:
            mask = self._mine(self.call.mask)
            seen = seen & (mask[rows] if len(mask) > 1 else mask)
        return seen

    def num_seen(self) -> Tensor:
        """How many keys each row can see [T]."""
        every = torch.arange(self.num_rows, device=self.device)
        blocks = torch.split(every, max(1, CELLS_AT_ONCE // self.num_keys))
        return torch.cat([self.visible(rows).sum(-1) for rows in blocks])

    def weights(self, rows: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
        """The model's own weights [n, S], and what of each row is the sink's [n]."""
        score = scores(self.query[None, rows], self.key[None], self.call.scaling, self.call.softcap)
        if self.call.bias is not None:
            bias = self._mine(self.call.bias)
            score = score + (bias[rows] if len(bias) > 1 else bias).float()
        score = score.masked_fill(~visible, float("-inf"))
        sinks = self.call.sinks
        sink = None if sinks is None else sinks[self.head : self.head + 1]
        lse = log_sum_exp(score[None], sink)[0]
        own = pattern(score, lse)[0]
        if self.call.uniform_when_blind:
            own = own.masked_fill(lse[0].isposinf()[:, None], 1 / self.num_keys)
        share = torch.zeros_like(lse[0]) if sink is None else (sink - lse[0]).exp()
        return own, share

    def _mine(self, matrix: Tensor) -> Tensor:
        matrix = matrix[self.sequence if len(matrix) > 1 else 0]
        matrix = matrix[self.head if len(matrix) > 1 else 0]
        return matrix.expand(-1, self.num_keys)


def _gathered(orders: Sequence[Order], attention: _OneHead, frame: Frame) -> _Head:
    """What the orders, one after another, come to; later ones count where they meet."""
    asked, device = _Head(), attention.device
    every = torch.arange(attention.num_rows, device=device)
    blanks: list[int] = []
    for order in orders:
        if isinstance(order, Scale):
            factor = order.factor
            if isinstance(factor, Tensor) and factor.dim() == 1:
                factor = factor[text_of(attention.sequence)]
            asked.gate = asked.gate * factor
            order.done()
        elif isinstance(order, Cell):
            row, column = frame.row(order.row), frame.column(order.column)
            if row is not None and column is not None:
                place = torch.tensor([[row], [column]], device=device)
                asked.pin(place[0], place[1], torch.tensor([order.value], device=device), order.raw)
                order.done()
        elif isinstance(order, Column):
            column = frame.column(order.column)
            if column is not None:
                columns = torch.full_like(every, column)
                values, only_allowed = order.of_rows(frame)
                keep = every >= 0
                if only_allowed:
                    keep = attention.sees(every, columns)
                    keep &= order.raw | (attention.num_seen() > 1)
                values = values.to(device)
                asked.pin(every[keep], columns[keep], values[keep], order.raw)
                order.done()
        elif isinstance(order, Even):
            rows = every if order.rows is None else _rows_of(order.rows, frame, device)
            asked.forget(rows)
            asked.even |= dict.fromkeys(rows.tolist())
            if len(rows):
                order.done()
        elif isinstance(order, Rows):
            given = order.in_frame(frame, attention.head, attention.call.query.shape[1])
            asked.forget(torch.tensor([row for row, _ in given], device=device).long())
            asked.given |= {row: weights.float().to(device) for row, weights in given}
            if order.checked:
                _check_rows(given, attention, frame)
            if given:
                order.done()
        elif isinstance(order, Blank):
            column = frame.column(order.token)
            if column is not None:
                blanks.append(column)
                order.done()
    heads_own = [each for each in orders if not isinstance(each, Blank | Scale)]
    if heads_own and any(isinstance(each, Scale) and each.silences for each in orders):
        raise VitralError("edit_silenced", what=heads_own[0].description)
    for column in blanks:
        columns = torch.full_like(every, column)
        for rows, pinned, values, _ in asked.pins:
            clash = (pinned == column) & (values != 0)
            if bool(clash.any()):
                token, row = frame.first_key + column, frame.first_row + int(rows[clash][0])
                raise VitralError("edit_blanked", token=token, row=row)
        seen = attention.sees(every, columns)
        for row in asked.given:
            seen[row] |= bool(asked.given[row][column])
        asked.pin(every[seen], columns[seen], torch.zeros_like(every[seen]), raw=False)
    return asked


def _check_rows(given: Sequence[tuple[int, Tensor]], attention: _OneHead, frame: Frame) -> None:
    for row, weights in given:
        seen = attention.visible(torch.tensor([row], device=attention.device))[0]
        hidden = (weights.to(seen.device) != 0) & ~seen
        if bool(hidden.any()):
            column = int(hidden.nonzero()[0, 0])
            raise VitralError(
                "edit_cell_hidden", row=frame.first_row + row, column=frame.first_key + column
            )


def _rows_of(places: Sequence[int], frame: Frame, device: torch.device) -> Tensor:
    found = (frame.row(place) for place in places)
    return torch.tensor([row for row in found if row is not None], device=device).long()


def _pins(asked: _Head, attention: _OneHead, frame: Frame) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The cells that were set, each once and in order; without those that say what is so."""
    if not asked.pins:
        empty = torch.zeros(0, dtype=torch.long, device=attention.device)
        return empty, empty, empty.float(), empty.bool()
    rows, columns, values, raw = (torch.cat(each) for each in zip(*asked.pins, strict=True))
    key, order = (rows * attention.num_keys + columns).sort(stable=True)
    last = torch.ones_like(key, dtype=torch.bool)
    last[:-1] = key[1:] != key[:-1]
    rows, columns, values, raw = (each[order[last]] for each in (rows, columns, values, raw))
    hidden = ~attention.sees(rows, columns) & ~raw
    hidden &= ~torch.isin(rows, torch.tensor(list(asked.given), device=rows.device).long())
    wrong = hidden & (values != 0)
    if bool(wrong.any()):
        row, column = int(rows[wrong][0]), int(columns[wrong][0])
        raise VitralError(
            "edit_cell_hidden", row=frame.first_row + row, column=frame.first_key + column
        )
    return rows[~hidden], columns[~hidden], values[~hidden], raw[~hidden]


def _carried_out(
    asked: _Head, attention: _OneHead, frame: Frame
) -> tuple[PatternEdit, Tensor, Tensor]:
    """The head's edit, the rows that it touches [n], and their new outputs [n, D]."""
    device, num_keys = attention.device, attention.num_keys
    pins = _pins(asked, attention, frame)
    others = torch.tensor([*asked.even, *asked.given], device=device).long()
    rows = torch.unique(torch.cat([pins[0], others]))
    scales, evens, outputs = [], [], []
    for some in torch.split(rows, max(1, CELLS_AT_ONCE // num_keys)) if len(rows) else ():
        base, sink, even = _base(asked, attention, some)
        mine = torch.isin(pins[0], some)
        where = torch.searchsorted(some, pins[0][mine])
        held = torch.zeros_like(base, dtype=torch.bool)
        held[where, pins[1][mine]] = True
        value = torch.zeros_like(base)
        value[where, pins[1][mine]] = pins[2][mine]
        shared = torch.zeros(len(some), dtype=torch.bool, device=device)
        shared[where[~pins[3][mine]]] = True  # rows of which the rest makes room
        scale = _scale(base, sink, held, value, shared, some + frame.first_row)
        weights = torch.where(held, value, base * scale[:, None])
        outputs.append(weights @ attention.value.float())
        scales.append(scale)
        evens.append(even)
    none = torch.zeros(0, device=device)
    gate = asked.gate if isinstance(asked.gate, Tensor) else torch.tensor(asked.gate)
    head = attention.head
    edit = PatternEdit(
        heads=torch.tensor([head], device=device),
        gates=gate.detach().float().reshape(1).to(device),
        rows=_places(head, rows),
        scales=torch.cat(scales).detach() if scales else none,
        evens=torch.cat(evens) if evens else none,
        cells=_places(head, pins[0], pins[1]),
        values=pins[2],
        given_rows=_places(head, torch.tensor(list(asked.given), device=device).long()),
        given=torch.stack([*asked.given.values()])
        if asked.given
        else torch.zeros(0, num_keys, device=device),
    )
    return edit, rows, torch.cat(outputs) if outputs else none


def _base(asked: _Head, attention: _OneHead, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What the cells are set in [n, S], the sink's share [n], and what an even row holds [n]."""
    visible = attention.visible(rows)
    base, sink = attention.weights(rows, visible)
    flat = torch.isin(rows, torch.tensor(list(asked.even), device=rows.device).long())
    flat &= visible.any(-1)
    even = torch.where(flat, 1 / visible.sum(-1).clamp(min=1), 0.0)
    base = torch.where(flat[:, None], visible * even[:, None], base)
    sink = sink.masked_fill(flat, 0.0)
    for index, row in enumerate(rows.tolist() if asked.given else ()):
        if row in asked.given:
            base[index], sink[index] = asked.given[row], 0.0
    return base, sink, even


def _scale(
    base: Tensor, sink: Tensor, held: Tensor, value: Tensor, shared: Tensor, rows: Tensor
) -> Tensor:
    """By what the cells not held are scaled [n], so that the row's sum stays one."""
    rest = base.masked_fill(held, 0.0).sum(-1) + sink
    left = 1 - value.sum(-1)
    over = shared & (left < -TOLERANCE)
    if bool(over.any()):
        raise VitralError(
            "edit_row_over_one", row=int(rows[over][0]), sum=round(1 - float(left[over][0]), 4)
        )
    stuck = shared & (rest <= 0) & (left > TOLERANCE) & (value != 0).any(-1)
    if bool(stuck.any()):
        raise VitralError("edit_nothing_left", row=int(rows[stuck][0]))
    scale = torch.where(rest > 0, left.clamp(min=0) / rest.clamp(min=1e-38), 0.0)
    return torch.where(shared, scale, 1.0)


def _places(head: int, *places: Tensor) -> Tensor:
    return torch.stack([torch.full_like(places[0], head), *places], dim=1)


def _together(parts: Sequence[PatternEdit]) -> PatternEdit:
    """The edits of several heads of one attention as one."""
    names = vars(parts[0])
    return PatternEdit(
        **{name: torch.cat([getattr(each, name) for each in parts]) for name in names}
    )
