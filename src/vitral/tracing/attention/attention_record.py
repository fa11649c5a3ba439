"""What a trace keeps of one attention: enough to compute any cell of its pattern exactly.

Kept are the queries and keys as the scores used them (after rotation), the values, one
log-sum-exp per row, and the mask. A pattern of H × T × S numbers is never stored; a block of it
is computed on demand:

    pattern[t, s] = exp(q_t · k_s · scaling + bias[t, s] − lse[t])

Shapes: H query heads, K key heads, T queries, S keys, D wide. One sequence, no batch.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from vitral.nn.attention_call import AttentionCall
from vitral.nn.scaled_dot_product import (
    CELLS_AT_ONCE,
    LOG2_E,
    at_least_float32,
    log_sum_exp,
    pattern,
    scores,
)
from vitral.tracing.attention.blocked_pass import LOWEST, Measures, measure
from vitral.tracing.attention.row_statistics import RowStatistics
from vitral.tracing.attention.visibility import Bias, Range, Visibility


@dataclass(frozen=True, eq=False)
class AttentionRecord:
    """One attention of one sequence; see the head of the file."""

    query: Tensor  # [H, T, D]
    key: Tensor  # [K, S, D]
    value: Tensor  # [K, S, D]
    lse: Tensor  # float32 [H, T] (float64 for float64 queries); +inf for a fully masked query
    scaling: float
    visibility: Visibility
    bias: Bias | None
    uniform_when_blind: bool
    softcap: float | None = None  # scores are softcap · tanh(score / softcap) before the bias
    sinks: Tensor | None = None  # float32 [H]: one more logit in each row's denominator

    @property
    def num_heads(self) -> int:
        return self.query.shape[0]

    @property
    def num_queries(self) -> int:
        return self.query.shape[1]

    @property
    def num_keys(self) -> int:
        return self.key.shape[1]

    def scores(self, head: int | None, rows: Range, columns: Range) -> Tensor:
        """The softmax's input [1 or H, rows, columns]; −∞ where the mask hides a key."""
        heads = slice(None) if head is None else slice(head, head + 1)
        group = self.num_heads // self.key.shape[0]
        key_heads = slice(None) if head is None else slice(head // group, head // group + 1)
        score = scores(
            self.query[heads, slice(*rows)],
            self.key[key_heads, slice(*columns)],
            self.scaling,
            self.softcap,
        )
        if self.bias is not None:
            score = score + _of_heads(self.bias.block(rows, columns), heads).float()
        if self.visibility.is_everything:
            return score
        visible = _of_heads(self.visibility.block(rows, columns), heads)
        return score.masked_fill_(~visible.to(score.device), float("-inf"))

    def pattern(
        self, head: int | None = None, rows: Range | None = None, columns: Range | None = None
    ) -> Tensor:
        """The attention weights of some cells: float32 [1 or H, rows, columns].

        `head` None means all heads; `rows` and `columns` (first, one past the last) None mean
        all of them. The cells are exact whatever the block.
        """
        rows = (0, self.num_queries) if rows is None else rows
        columns = (0, self.num_keys) if columns is None else columns
        heads = slice(None) if head is None else slice(head, head + 1)
        lse = self.lse[heads, slice(*rows)]
        weights = pattern(self.scores(head, rows, columns), lse)
        if self.uniform_when_blind:
            weights = weights.masked_fill(lse.isposinf()[..., None], 1 / self.num_keys)
        return weights.float()

    def cells(self, head: int | None, rows: Tensor, columns: Tensor) -> Tensor:
        """Single attention weights: float32 [n], or [H, n] for all heads (`head` None).

        `rows` and `columns` are index tensors [n]; cell i is (rows[i], columns[i]). The same
        weights as in `pattern`, without the rest of their rows.
        """
        heads = slice(None) if head is None else slice(head, head + 1)
        rows, columns = rows.to(self.query.device), columns.to(self.query.device)
        step = max(1, CELLS_AT_ONCE // self.query[heads, 0].numel())
        pieces = zip(torch.split(rows, step), torch.split(columns, step), strict=True)
        parts = [self._cells(head, some, others) for some, others in pieces]
        found = torch.cat(parts, dim=-1)
        return found if head is None else found[0]

    def _cells(self, head: int | None, rows: Tensor, columns: Tensor) -> Tensor:
        heads = slice(None) if head is None else slice(head, head + 1)
        group = self.num_heads // self.key.shape[0]
        key_heads = slice(None) if head is None else slice(head // group, head // group + 1)
        query = at_least_float32(self.query[heads][:, rows]) * self.scaling
        key = at_least_float32(self.key[key_heads][:, columns])
        score = (
            (query.view(len(key), len(query) // len(key), *query.shape[1:]) * key[:, None])
            .sum(-1)
            .flatten(0, 1)
        )
        if self.softcap is not None:
            score = (score / self.softcap).tanh() * self.softcap
        if self.bias is not None:
            score = score + _of_heads(self.bias.cells(rows, columns), heads).float()
        visible = _of_heads(self.visibility.cells(rows, columns), heads)
        lse = self.lse[heads][:, rows]
        weights = (score.masked_fill(~visible, float("-inf")) - lse).exp()
        if self.uniform_when_blind:
            weights = weights.masked_fill(lse.isposinf(), 1 / self.num_keys)
        return weights.float()

    def columns_seen(self, rows: Range) -> Range:
        """The range of columns that contains all weights of these rows."""
        if self.uniform_when_blind and self._below[1]:
            return 0, self.num_keys
        return self.visibility.columns_seen(rows)

    def fill(
        self,
        head: int,
        rows: Range,
        columns: Range,
        hidden: tuple[int, Tensor] | None,
        log_weights: Tensor,
        weights: Tensor,
    ) -> None:
        """Write a block of one head's weights, and their logarithms to base 2, into two buffers.

        The same weights as in `pattern`, [r, c], with fewer passes over the block. `hidden` is
        what the mask hides: a first column, and from there on a mask [1 or H, r, c'] that is True
        for hidden keys; None if it hides nothing. Base 2, because torch.exp takes up to sixty
        times as long for weights near zero or −∞, and torch.exp2 does not.
        """
        below, any_blind = self._below
        lowest = below[head, slice(*rows), None]
        query = self.query[head, slice(*rows)].float()
        key = self.key[head * len(self.key) // self.num_heads, slice(*columns)].float()
        if self.softcap is None:
            query = query * (self.scaling * LOG2_E)
            torch.addmm(lowest, query, key.t(), out=log_weights)
        else:
            torch.mm(query * (self.scaling / self.softcap), key.t(), out=log_weights)
            log_weights.tanh_().mul_(self.softcap * LOG2_E).add_(lowest)
        if self.bias is not None:
            added = self.bias.block(rows, columns)
            log_weights.add_(added[head if len(added) > 1 else 0], alpha=LOG2_E)
        if hidden is not None:
            first, mask = hidden
            mask = mask[head if len(mask) > 1 else 0]
            log_weights[:, first : first + mask.shape[1]].masked_fill_(mask, LOWEST)
        torch.exp2(log_weights, out=weights)
        if any_blind and self.uniform_when_blind:
            blind = lowest <= LOWEST
            weights.masked_fill_(blind, 1 / self.num_keys)
            log_weights.masked_fill_(blind, -math.log2(self.num_keys))

    @cached_property
    def _below(self) -> tuple[Tensor, bool]:
        """−lse to base 2 [H, T], the offset of the scores; and whether a row is fully masked."""
        below = self.lse.float() * -LOG2_E
        blind = below.isneginf()
        return below.masked_fill_(blind, LOWEST), bool(blind.any())

    @cached_property
    def measures(self) -> Measures:
        """Row statistics and pooled maps, computed while the model ran or, once, on first use."""
        return measure(self)

    @property
    def is_measured(self) -> bool:
        """Whether the measures have been computed."""
        return "measures" in vars(self)

    def with_measures(self, measures: Measures) -> "AttentionRecord":
        """The same record with its measures."""
        same = replace(self)
        vars(same)["measures"] = measures
        return same

    @property
    def statistics(self) -> RowStatistics:
        """A few statistics of each row of the pattern."""
        return self.measures.statistics

    def row_blocks(self, num_heads: int) -> Iterator[Range]:
        """Ranges of rows, in order, each small enough to be computed at once."""
        step = max(1, CELLS_AT_ONCE // (num_heads * self.num_keys))
        for first in range(0, self.num_queries, step):
            yield first, min(first + step, self.num_queries)

    def cut(self, queries: Range, keys: Range) -> "AttentionRecord":
        """The same without the padding at either end, whose weights are zero."""
        if queries == (0, self.num_queries) and keys == (0, self.num_keys):
            return self
        return replace(
            self,
            query=self.query[:, slice(*queries)],
            key=self.key[:, slice(*keys)],
            value=self.value[:, slice(*keys)],
            lse=self.lse[:, slice(*queries)],
            visibility=self.visibility.cut(queries, keys),
            bias=None if self.bias is None else self.bias.cut(queries, keys),
        )


def records_of(
    call: AttentionCall,
    visibility: Visibility,
    bias: Bias | None,
    keep: Callable[[Tensor], Tensor],
    *,
    measured: bool = False,
) -> list[AttentionRecord]:
    """One record for each sequence of a batch, from the attention call that computed it.

    The tensors are copied by `keep`, so the model may change its own afterwards. If `measured`, a
    pattern too large to compute at once is measured now, while queries and keys are in memory;
    the measures of a smaller one are computed on first use.
    """
    records = []
    for index in range(max(len(call.query), len(call.key))):
        query, key, value = (
            tensor.detach()[index if len(tensor) > 1 else 0].contiguous()
            for tensor in (call.query, call.key, call.value)
        )
        record = AttentionRecord(
            query,
            key,
            value,
            torch.empty(0),
            call.scaling,
            visibility.item(index),
            None if bias is None else bias.item(index),
            call.uniform_when_blind,
            call.softcap,
            None if call.sinks is None else call.sinks.clone(),
        )
        lse = None if call.lse is None else call.lse[index if len(call.lse) > 1 else 0]
        record = replace(record, lse=_log_sum_exp(record, lse))
        kept = replace(record, query=keep(query), key=keep(key), value=keep(value))
        large = record.num_heads * record.num_queries * record.num_keys > CELLS_AT_ONCE
        if measured and large:
            kept = kept.with_measures(record.measures.kept(keep))
        records.append(kept)
    return records


def _log_sum_exp(record: AttentionRecord, given: Tensor | None) -> Tensor:
    """Each row's log-sum-exp [H, T]: the kernel's where it gave it, else computed.

    Kernels differ in what they return for a fully masked row; here it is +∞, unless a sink makes
    it finite.
    """
    if given is None:
        every = (0, record.num_keys)
        rows = record.row_blocks(record.num_heads)
        parts = [log_sum_exp(record.scores(None, some, every), record.sinks) for some in rows]
        return torch.cat(parts, dim=-1)
    lse = at_least_float32(given.detach()).clone(memory_format=torch.contiguous_format)
    if record.sinks is None and not record.visibility.is_everything:
        lse.masked_fill_(record.visibility.blind_rows().to(lse.device), float("inf"))
    return lse


def _of_heads(block: Tensor, heads: slice) -> Tensor:
    """The rows of some heads of a mask or bias that has one entry for all heads or one for each."""
    return block if block.shape[0] == 1 else block[heads]
