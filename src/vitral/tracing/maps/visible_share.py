"""The share of each cell of a reduced map that the mask does not hide."""

import torch
from torch import Tensor

from vitral.nn.scaled_dot_product import CELLS_AT_ONCE
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.visibility import Range, Visibility
from vitral.tracing.view import cell_edges, reduce_blocks


def visible_share(
    record: AttentionRecord, head: int, rows: Range, columns: Range, size: tuple[int, int]
) -> Tensor | None:
    """The share of each cell's weights that may be other than zero: float32 [h, w], or None
    if all may.

    The cells are those of `Trace.view` with the same rows, columns and size. The cells of a mask
    that depends on the distance alone, causal or a window, are counted by a formula.
    """
    visibility = record.visibility
    plain = type(record) is AttentionRecord
    if visibility.is_everything or (_is_given(record) and not visibility.is_causal):
        return None  # of a pattern given as it is, a zero is a zero
    row_edges = cell_edges(*rows, size[0])
    column_edges = cell_edges(*columns, size[1])
    blind = record.lse[head].cpu().isposinf() & record.uniform_when_blind
    if plain and _is_diagonal(visibility) and not bool(blind.any()):
        return _diagonal_share(visibility, head, row_edges, column_edges)

    def block(some: Range) -> Tensor:
        seen = visibility.block(some, columns).cpu()
        one: Tensor = seen[head if len(seen) > 1 else 0]
        if _is_given(record):
            one = torch.ones(visibility.num_queries, visibility.num_keys).tril().bool()
            one = one[slice(*some), slice(*columns)]
        elif not plain:  # an edit may have put a weight where there was none
            one = one | (record.pattern(head, some, columns)[0].cpu() != 0)
        return one | blind[slice(*some), None]

    step = max(1, CELLS_AT_ONCE // (columns[1] - columns[0]))
    blocks = [(first, min(first + step, rows[1])) for first in range(*rows, step)]
    return reduce_blocks(block, blocks, columns, size)


def _is_given(record: AttentionRecord) -> bool:
    """Whether only the pattern is known, so that its mask was read from it."""
    return hasattr(record, "source")


def _is_diagonal(visibility: Visibility) -> bool:
    diagonal, by_key, free = visibility.diagonal, visibility.columns, visibility.free
    if diagonal is None or by_key is None or free is None:
        return False
    return bool(by_key.all()) and not bool(free.any())


def _diagonal_share(
    visibility: Visibility, head: int, row_edges: list[int], column_edges: list[int]
) -> Tensor:
    """With D2 the twice summed diagonal, the cells of rows a … b−1 and columns c … d−1 of which
    a key may be seen are D2(d−a) − D2(c−a) − D2(d−b) + D2(c−b): each distance as often as it
    occurs in the block."""
    assert visibility.diagonal is not None
    lines = visibility.diagonal.cpu()
    line = lines[head if len(lines) > 1 else 0].double()
    twice = torch.zeros(len(line) + 2, dtype=torch.float64)
    twice[2:] = line.cumsum(0).cumsum(0)
    a = torch.tensor(row_edges)[:, None]
    c = torch.tensor(column_edges)[None, :]
    corner = twice[c - a + visibility.num_queries]
    seen = corner[:-1, 1:] - corner[:-1, :-1] - corner[1:, 1:] + corner[1:, :-1]
    sizes = a.diff(dim=0) * c.diff(dim=1)
    share: Tensor = (seen / sizes).float()
    return share
