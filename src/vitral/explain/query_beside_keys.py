"""One query with its keys, component by component.

A score is a sum of products, q_t · k_s = Σ_d q_td · k_sd, so it can be read from left to right:
which components of the head's small space raise the score of a key, and which lower it. If the
same few components decide in every row, they show what the head responds to (Vig 2019, "A
Multiscale Visualization of Attention in the Transformer Model", its neuron view).

    >>> import torch
    >>> from vitral.tracing.trace import Trace
    >>> x = torch.tensor([[[1.0, 2.0], [2.0, 1.0]]])
    >>> trace = Trace.from_tensors([x], [x], [x], scaling=1.0, tokens=["IA", "avanza"])
    >>> met = query_key(trace, layer=0, head=0, query=0)
    >>> met.products.tolist(), met.scores.tolist()
    ([[1.0, 4.0], [2.0, 2.0]], [5.0, 4.0])

Shapes: S keys, D wide.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.tracing.attention.given_pattern import GivenPattern
from vitral.tracing.trace import Trace


@dataclass(frozen=True, eq=False)
class QueryKey:
    """One query and some keys, float32, as they enter the product (after rotation, if any).

    `q` [D]; `keys` [S, D] of the tokens at `positions`; `scores` [S] are what enters the softmax
    (scaled, with the model's bias and cap; −∞ for hidden keys) and `weights` [S] the softmax of
    the whole row.
    """

    query: int
    positions: tuple[int, ...]
    q: Tensor
    keys: Tensor
    scaling: float
    scores: Tensor
    weights: Tensor

    @property
    def products(self) -> Tensor:
        """q_d · k_sd [S, D]; a row's sum, times `scaling`, is its score in most models."""
        return self.q * self.keys


def query_key(
    trace: Trace,
    *,
    layer: int,
    head: int,
    query: int,
    keys: Sequence[int] | None = None,
    part: str | None = None,
) -> QueryKey:
    """The query of the token at `query` with the keys of the tokens at `keys`, by default all.

    Raises VitralError `layer_out_of_range`, `head_out_of_range`, `part_unknown`,
    `token_out_of_range`, and `arithmetic_unknown` where a trace knows the pattern but not the
    queries and keys behind it.
    """
    record = trace.record(layer, part)
    if not 0 <= head < record.num_heads:
        raise VitralError("head_out_of_range", head=head, num_heads=record.num_heads)
    positions = tuple(range(record.num_keys)) if keys is None else tuple(keys)
    for position, number in (
        (query, record.num_queries),
        *((k, record.num_keys) for k in positions),
    ):
        if not 0 <= position < number:
            raise VitralError("token_out_of_range", token=position, length=number)
    if isinstance(record, GivenPattern):
        raise VitralError("arithmetic_unknown", model=trace.model)
    row, every = (query, query + 1), (0, record.num_keys)
    chosen = torch.tensor(positions, dtype=torch.long)
    key_head = head // (record.num_heads // len(record.key))
    return QueryKey(
        query=query,
        positions=positions,
        q=record.query[head, query].float().cpu(),
        keys=record.key[key_head].float().cpu()[chosen],
        scaling=record.scaling,
        scores=record.scores(head, row, every)[0, 0].cpu()[chosen],
        weights=record.pattern(head, row, every)[0, 0].cpu()[chosen],
    )
