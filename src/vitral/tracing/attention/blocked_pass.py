"""One pass over a pattern, block by block: every row's statistics and every head's small map.

The pattern's T × S weights per head are computed in blocks that fit the CPU's cache, used for
all statistics, and discarded. Most statistics are sums, which add up over the blocks. Fully
masked blocks (above the diagonal of a causal pattern, outside a window) are not computed.

One block costs its scores (one matrix product, the log-sum-exp already subtracted in it), the
exponential, and one pass over it for each of: entropy, distance, the rows' mass and largest
weight, and the sums and maxima of the map's cells, first over neighbouring rows only. The rest of
the work for `received` and the maps therefore has at most 256 rows. Very long texts also get
finer maps (`fine_maps`), whose cells are computed in the same way.

Shapes: H heads, T queries, S keys; r × c a block; h × w the map's cells.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vitral.stopping import check_stop
from vitral.tracing.attention.row_statistics import NEIGHBOURS, Pattern, RowStatistics
from vitral.tracing.attention.visibility import Range, Visibility
from vitral.tracing.maps import fine_maps
from vitral.tracing.maps.fine_maps import FineMaps
from vitral.tracing.maps.pooled_maps import LARGEST, PooledMaps
from vitral.tracing.view import Reduction, cell_edges

if TYPE_CHECKING:
    from vitral.tracing.attention.attention_record import AttentionRecord

BLOCK = (256, 1024)
"""Rows and columns of a block on a CPU: two float32 blocks fit the last-level cache."""
BLOCK_ON_DEVICE = (2048, 8192)
"""The same on a GPU, where a few large operations are faster than many small ones."""

LOWEST = -1e30
"""The logarithm, to base 2, of a weight of zero. Finite, so that 0 · log 0 is 0."""


@dataclass(frozen=True, eq=False)
class Measures:
    """What the pass computes of one attention."""

    statistics: RowStatistics
    maps: PooledMaps
    fine: FineMaps | None = None
    """Of very long texts only."""

    def tensors(self) -> list[Tensor]:
        """All tensors."""
        found = [value for _, value in self.statistics.items()]
        found += [self.maps.mean, self.maps.maximum]
        return found if self.fine is None else [*found, self.fine.sums, self.fine.maxima]

    def kept(self, keep: Callable[[Tensor], Tensor]) -> "Measures":
        """The same, its tensors copied by `keep`."""
        statistics = {name: keep(value) for name, value in self.statistics.items()}
        maps = replace(self.maps, mean=keep(self.maps.mean), maximum=keep(self.maps.maximum))
        fine = self.fine
        if fine is not None:
            fine = replace(fine, sums=keep(fine.sums), maxima=keep(fine.maxima))
        return Measures(RowStatistics(**statistics), maps, fine)


@torch.no_grad()
def measure(record: Pattern) -> Measures:
    """Row statistics and pooled maps of every head of a record.

    Time grows with T·S, memory with T + S. Weights are those of `record.pattern`.
    """
    with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
        return _Pass(record).run()


class _Pass:
    def __init__(self, record: Pattern) -> None:
        self.record = record
        H, T, S = record.num_heads, record.num_queries, record.num_keys
        self.shape = (H, T, S)
        # A record with queries and keys fills blocks faster than its `pattern` does.
        self.known: AttentionRecord | None = record if hasattr(record, "fill") else None  # type: ignore[assignment]
        self.device = torch.device("cpu") if self.known is None else self.known.query.device
        self.block = BLOCK if self.device.type == "cpu" else BLOCK_ON_DEVICE
        self.offset = max(0, S - T)
        self.row_edges, self.column_edges = cell_edges(0, T, LARGEST), cell_edges(0, S, LARGEST)
        self.buffers = [torch.empty(0, device=self.device) for _ in range(2)]
        self.ones = torch.ones(self.block[1], device=self.device)

    def run(self) -> Measures:
        H, T, S = self.shape
        zeros = [torch.zeros(H, T, device=self.device) for _ in range(3)]
        self.entropy, self.distance, self.largest = zeros
        self.at_places = {
            name: torch.zeros(H, T, device=self.device) for name in ("first", *NEIGHBOURS)
        }
        self.received = torch.zeros(H, S, device=self.device)
        # Records of given weights have no mask; a key with a weight counts as visible.
        leading = H if self.rule is None else _leading(self.rule)
        self.allowed = torch.zeros(leading, T, device=self.device)
        cells = (H, len(self.row_edges) - 1, len(self.column_edges) - 1)
        mean, maximum = torch.empty(cells), torch.empty(cells)
        self.fine = _no_fine_maps(self.shape)
        for first, last in row_blocks(self.row_edges, self.block[0]):
            check_stop()
            edges = self.row_edges[first : last + 1]
            sums, maxima = self._rows(edges)
            self.received += sums.sum(1)
            mean[:, first:last] = column_cells(sums, self.column_edges, "mean").cpu()
            maximum[:, first:last] = column_cells(maxima, self.column_edges, "max").cpu()
        heights, widths = (torch.tensor(e).diff() for e in (self.row_edges, self.column_edges))
        statistics = RowStatistics(
            entropy=self.entropy.mul_(-math.log(2)).clamp_(min=0).cpu(),
            distance=self.distance.cpu(),
            largest=self.largest.cpu(),
            received=self.received.cpu(),
            allowed=self.allowed.cpu(),
            **{name: weights.cpu() for name, weights in self.at_places.items()},
        )
        mean /= heights[:, None] * widths[None, :]
        return Measures(statistics, PooledMaps(mean, maximum, (T, S)), self.fine)

    @property
    def rule(self) -> Visibility | None:
        return None if self.known is None else self.known.visibility

    def _rows(self, edges: list[int]) -> tuple[Tensor, Tensor]:
        """One block's rows over all columns; sums and maxima [H, map rows, S] over its rows."""
        H, _, S = self.shape
        rows = (edges[0], edges[-1])
        sums, maxima = (torch.zeros(H, len(edges) - 1, S, device=self.device) for _ in range(2))
        seen = (0, S) if self.known is None else self.known.columns_seen(rows)
        for start in range(*seen, self.block[1]):
            columns = (start, min(start + self.block[1], seen[1]))
            hidden = self._hidden(rows, columns)
            far = self._distances(rows, columns)
            places = self._places(rows, columns)
            for head in range(H):
                log_weights, weights = self._fill(head, rows, columns, hidden)
                self._row_sums(head, rows, log_weights, weights, far)
                for name, within, diagonal in places:
                    self.at_places[name][head, within] = weights.diagonal(diagonal)
                if start == 0:
                    self.at_places["first"][head, slice(*rows)] = weights[:, 0]
                across = slice(*columns)
                over_rows(
                    weights,
                    edges,
                    {"mean": sums[head, :, across], "max": maxima[head, :, across]},
                )
                if self.fine is not None:
                    self._add_fine(self.fine, head, rows, columns, weights)
        return sums, maxima

    def _add_fine(
        self, maps: FineMaps, head: int, rows: Range, columns: Range, weights: Tensor
    ) -> None:
        """Add a block, which may begin and end inside cells, to the finer maps."""
        down, across = (_edges_within(each, maps.cell) for each in (rows, columns))
        shape = (len(down) - 1, columns[1] - columns[0])
        sums, maxima = (torch.empty(shape, device=self.device) for _ in range(2))
        over_rows(weights, down, {"mean": sums, "max": maxima})
        from_first = [edge - columns[0] for edge in across]
        top, left = rows[0] // maps.cell, columns[0] // maps.cell
        place = (head, slice(top, top + len(down) - 1), slice(left, left + len(across) - 1))
        maps.sums[place] += column_cells(sums, from_first, "mean").cpu()
        largest = torch.maximum(maps.maxima[place], column_cells(maxima, from_first, "max").cpu())
        maps.maxima[place] = largest

    def _hidden(self, rows: Range, columns: Range) -> tuple[int, Tensor] | None:
        """The masked columns: where they begin, and their mask; None if nothing is masked."""
        if self.rule is None:
            return None
        if self.rule.is_all_seen(rows, columns):
            self.allowed[:, slice(*rows)] += columns[1] - columns[0]
            return None
        visible = self.rule.block(rows, columns).to(self.device)
        visible = visible.expand(-1, rows[1] - rows[0], -1)
        self.allowed[:, slice(*rows)] += visible.sum(-1)
        return hidden_columns(visible)

    def _fill(
        self, head: int, rows: Range, columns: Range, hidden: tuple[int, Tensor] | None
    ) -> tuple[Tensor, Tensor]:
        """A block's weights and their logarithms, in the two buffers."""
        shape = (rows[1] - rows[0], columns[1] - columns[0])
        if self.buffers[0].numel() < shape[0] * shape[1]:
            self.buffers = [torch.empty(shape[0] * shape[1], device=self.device) for _ in range(2)]
        log_weights, weights = (each[: shape[0] * shape[1]].view(shape) for each in self.buffers)
        if self.known is not None:
            self.known.fill(head, rows, columns, hidden, log_weights, weights)
        else:
            weights.copy_(self.record.pattern(head, rows, columns)[0])
            torch.log2(weights, out=log_weights).clamp_(min=LOWEST)
            self.allowed[head, slice(*rows)] += (weights > 0).sum(-1)
        return log_weights, weights

    def _distances(self, rows: Range, columns: Range) -> Tensor | tuple[Tensor, Tensor]:
        """|t − s| [r, c] where the block crosses the diagonal.

        If all keys are on one side, two vectors suffice: from each row to the block's near edge
        [r], and from this edge to each key [c].
        """
        first, last = rows[0] + self.offset, rows[1] + self.offset
        place = torch.arange(first, last, device=self.device, dtype=torch.float32)
        key = torch.arange(*columns, device=self.device, dtype=torch.float32)
        if columns[1] <= first + 1:
            return place - (columns[1] - 1), (columns[1] - 1) - key
        if columns[0] >= last - 1:
            return columns[0] - place, key - columns[0]
        return (place[:, None] - key[None, :]).abs()

    def _places(self, rows: Range, columns: Range) -> list[tuple[str, slice, int]]:
        """The diagonals of a block with the weights of each query's own and adjacent places."""
        found = []
        for name, step in NEIGHBOURS.items():
            first = max(rows[0], columns[0] - self.offset - step)
            last = min(rows[1], columns[1] - self.offset - step)
            if first < last:
                diagonal = rows[0] + self.offset + step - columns[0]
                found.append((name, slice(first, last), diagonal))
        return found

    def _row_sums(
        self,
        head: int,
        rows: Range,
        log_weights: Tensor,
        weights: Tensor,
        far: Tensor | tuple[Tensor, Tensor],
    ) -> None:
        within = slice(*rows)
        self.entropy[head, within].add_(torch.linalg.vecdot(weights, log_weights))
        largest = self.largest[head, within]
        torch.maximum(largest, weights.amax(-1), out=largest)
        if isinstance(far, Tensor):
            self.distance[head, within].add_(torch.linalg.vecdot(weights, far))
            return
        to_edge, from_edge = far
        mass = torch.mv(weights, self.ones[: weights.shape[1]])
        self.distance[head, within].addcmul_(mass, to_edge).add_(torch.mv(weights, from_edge))


def _no_fine_maps(shape: tuple[int, int, int]) -> FineMaps | None:
    """Empty finer maps, for a pattern [H, T, S] that needs them."""
    H, T, S = shape
    if not fine_maps.are_kept((T, S)):
        return None
    cell = fine_maps.CELL
    cells = (H, fine_maps.num_cells(T, cell), fine_maps.num_cells(S, cell))
    return FineMaps(torch.zeros(cells), torch.zeros(cells), (T, S), cell)


def _edges_within(places: Range, cell: int) -> list[int]:
    """The ends of a range, and between them every multiple of `cell`."""
    first, last = places
    return [first, *range(first - first % cell + cell, last, cell), last]


def row_blocks(edges: list[int], height: int | None = None) -> list[Range]:
    """Ranges of the map's rows, by their edges: as many as fit a block's `height`, at least one."""
    height = BLOCK[0] if height is None else height
    blocks, first = [], 0
    for end in range(1, len(edges)):
        if end + 1 == len(edges) or edges[end + 1] - edges[first] > height:
            blocks.append((first, end))
            first = end
    return blocks


def hidden_columns(visible: Tensor) -> tuple[int, Tensor] | None:
    """What is False of a mask [L, r, c], and from which column on; for `AttentionRecord.fill`."""
    hidden = ~visible
    places = hidden.flatten(0, 1).any(0).nonzero()
    if not len(places):
        return None
    first, last = int(places[0]), int(places[-1]) + 1
    return first, hidden[..., first:last]


def over_rows(weights: Tensor, edges: list[int], found: dict[Reduction, Tensor]) -> None:
    """Sums ("mean") and maxima ("max") of a block [r, c] over the rows of each of the map's:
    those that `found` has room for, [map rows, c]."""
    heights = [end - start for start, end in pairwise(edges)]
    even = len(set(heights)) == 1
    for reduction, out in found.items():
        over = torch.sum if reduction == "mean" else torch.amax
        if even:
            over(weights.view(len(heights), heights[0], -1), 1, out=out)
            continue
        for row, part in enumerate(torch.split(weights, heights)):
            over(part, 0, out=out[row])


def column_cells(values: Tensor, edges: list[int], reduction: str) -> Tensor:
    """[H, h, S] → [H, h, w]: the sum or maximum over the columns of each of the map's."""
    widths = torch.tensor(edges).diff()
    widest = int(widths.max())
    if int(widths.min()) == widest:
        grouped = values.view(*values.shape[:-1], len(widths), widest)
        return grouped.sum(-1) if reduction == "mean" else grouped.amax(-1)
    # Cells are one column narrower or not; a zero stands in for the column that is lacking.
    padded = torch.nn.functional.pad(values, (0, 1))
    index = torch.tensor(edges[:-1])[:, None] + torch.arange(widest)
    index = torch.where(torch.arange(widest) < widths[:, None], index, edges[-1])
    grouped = padded[..., index.to(values.device)]
    return grouped.sum(-1) if reduction == "mean" else grouped.amax(-1)


def _leading(rule: Visibility) -> int:
    vectors = rule.diagonal if rule.dense is None else rule.dense
    assert vectors is not None
    return vectors.shape[0]
