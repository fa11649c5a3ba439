"""What a trace keeps of one attention: enough to give back any cell of its pattern, exactly.

Kept are the queries and keys as they met (after rotation), the values, one log-sum-exp a row,
and the rule of who may see whom. A pattern of H × T × S numbers is never stored; a block of it
is computed when somebody looks:

    pattern[t, s] = exp(q_t · k_s · scaling + bias[t, s] − lse[t])

Shapes: H query heads, K key heads, T queries, S keys, D wide. One sequence, no batch.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from vitral.nn.scaled_dot_product import (
    CELLS_AT_ONCE,
    AttentionCall,
    log_sum_exp,
    pattern,
    scores,
)
from vitral.tracing.visibility import Bias, Range, Visibility


@dataclass(frozen=True)
class AttentionRecord:
    """One attention of one sequence; see the head of the file."""

    query: Tensor  # [H, T, D]
    key: Tensor  # [K, S, D]
    value: Tensor  # [K, S, D]
    lse: Tensor  # float32 [H, T]; +inf where a query may look nowhere
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
        """The softmax's input [1 or H, rows, columns]; −∞ where a query may not look."""
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
        return weights

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
    call: AttentionCall, visibility: Visibility, bias: Bias | None
) -> list[AttentionRecord]:
    """One record for each sequence of a batch, from the attention call that computed it.

    The tensors are copied: what the model does with its own afterwards changes no record.
    """
    query, key, value = (
        tensor.detach().clone(memory_format=torch.contiguous_format)
        for tensor in (call.query, call.key, call.value)
    )
    num_sequences = max(len(query), len(key))
    records = []
    for index in range(num_sequences):
        unfinished = AttentionRecord(
            query[index if len(query) > 1 else 0],
            key[index if len(key) > 1 else 0],
            value[index if len(value) > 1 else 0],
            torch.empty(0),
            call.scaling,
            visibility.item(index),
            None if bias is None else bias.item(index),
            call.uniform_when_blind,
            call.softcap,
            None if call.sinks is None else call.sinks.clone(),
        )
        lse = [
            log_sum_exp(unfinished.scores(None, rows, (0, unfinished.num_keys)), call.sinks)
            for rows in unfinished.row_blocks(unfinished.num_heads)
        ]
        records.append(replace(unfinished, lse=torch.cat(lse, dim=-1)))
    return records


def _of_heads(block: Tensor, heads: slice) -> Tensor:
    """The rows of some heads, of a rule that is one for all heads or one for each."""
    return block if block.shape[0] == 1 else block[heads]
