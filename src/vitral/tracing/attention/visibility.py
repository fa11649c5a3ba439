"""Masks and score biases in compact form, without T × S numbers.

Masks and biases are matrices with a structure. A causal mask depends on the distance between
key and query only; so do a sliding window and T5's relative positions. Padding depends on the
key only. Queries outside every rule (padding before the text) may be allowed to see every key. So
a mask is stored as three vectors,

    mask[t, s] = (diagonal[s − t] and columns[s]) or free[t]

and a bias as one, `diagonal[s − t]` or `columns[s]`. Whether these equal the matrix is checked
cell by cell when they are made; a matrix without the structure is stored whole.

Shapes: L leading dimensions, T queries, S keys. Diagonals have T + S − 1 entries, that of key
*s* and query *t* at s − t + T − 1.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

Range = tuple[int, int]


@dataclass(frozen=True)
class Visibility:
    """Which keys a query can see. Either the three vectors are set, or `dense`."""

    num_queries: int
    num_keys: int
    diagonal: Tensor | None  # bool [L, T + S - 1]
    columns: Tensor | None  # bool [L, S]
    free: Tensor | None  # bool [L, T]
    dense: Tensor | None = None  # bool [L, T, S]

    @classmethod
    def rule(cls, num_queries: int, num_keys: int, *, causal: bool) -> "Visibility":
        """Everything may be seen, or, if `causal`, everything up to the query's own place."""
        diagonal = torch.ones(1, 1, num_queries + num_keys - 1, dtype=torch.bool)
        if causal:
            diagonal[..., num_queries:] = False
        columns = torch.ones(1, 1, num_keys, dtype=torch.bool)
        free = torch.zeros(1, 1, num_queries, dtype=torch.bool)
        return cls(num_queries, num_keys, diagonal, columns, free)

    @classmethod
    def of_mask(cls, mask: Tensor) -> "Visibility":
        """From a matrix bool [L, T, S], as vectors if it has that structure."""
        num_queries, num_keys = mask.shape[-2:]
        free = mask.all(dim=-1)
        ruled = mask & ~free[..., None]
        vectors = cls(num_queries, num_keys, _skewed(ruled).any(dim=-2), ruled.any(dim=-2), free)
        if torch.equal(vectors.block((0, num_queries), (0, num_keys)), mask):
            return vectors
        return cls(num_queries, num_keys, None, None, None, mask)

    def block(self, rows: Range, columns: Range) -> Tensor:
        """The cells of some rows and columns: bool [L, rows, columns]."""
        if self.dense is not None:
            return self.dense[..., slice(*rows), slice(*columns)]
        diagonal, by_key, free = self._vectors()
        near = _diagonal_block(diagonal, self.num_queries, rows, columns)
        ruled = near & by_key[..., None, slice(*columns)]
        return ruled | free[..., slice(*rows), None]

    def cells(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Single cells, by two index tensors [n]: bool [L, n]."""
        if self.dense is not None:
            return self.dense[..., rows, columns]
        diagonal, by_key, free = self._vectors()
        ruled = diagonal[..., columns - rows + self.num_queries - 1] & by_key[..., columns]
        return ruled | free[..., rows]

    def is_all_seen(self, rows: Range, columns: Range) -> bool:
        """Whether each of these rows can see each of these columns."""
        if self.dense is not None:
            return bool(self.block(rows, columns).all())
        diagonal, by_key, free = self._vectors()
        first, last = columns[0] - rows[1] + 1, columns[1] - rows[0]
        near = diagonal[..., first + self.num_queries - 1 : last + self.num_queries - 1]
        ruled = bool(near.all()) and bool(by_key[..., slice(*columns)].all())
        return ruled or bool(free[..., slice(*rows)].all())

    def blind_rows(self) -> Tensor:
        """Which queries are fully masked: bool [L, T]."""
        if self.dense is not None:
            return ~self.dense.any(-1)
        diagonal, by_key, free = self._vectors()
        runs = [_true_range(flags) for flags in diagonal.flatten(0, -2)]
        lengths = torch.tensor([last - first for first, last in runs])
        if not torch.equal(lengths, diagonal.flatten(0, -2).sum(-1).cpu()):
            step = max(1, (1 << 22) // self.num_keys)
            starts = range(0, self.num_queries, step)
            ranges = [(first, min(first + step, self.num_queries)) for first in starts]
            every = (0, self.num_keys)
            return torch.cat([~self.block(rows, every).any(-1) for rows in ranges], dim=-1)
        # Each query sees one run of distances: count the keys in it, by sums from the first on.
        counts = F.pad(by_key.cumsum(-1), (1, 0))
        place = torch.arange(self.num_queries, device=counts.device) - self.num_queries + 1
        seen = []
        for index, (first, last) in enumerate(runs):
            by_now = counts[index if len(counts) > 1 else 0]
            end = by_now[(place + last).clamp(0, self.num_keys)]
            seen.append(end > by_now[(place + first).clamp(0, self.num_keys)])
        return ~(torch.stack(seen) | free)

    def columns_seen(self, rows: Range) -> Range:
        """The range of columns that these rows can see; (0, 0) if they are fully masked."""
        if self.dense is not None:
            return _true_range(self.dense[..., slice(*rows), :].flatten(0, -2).any(0))
        diagonal, by_key, free = self._vectors()
        if bool(free[..., slice(*rows)].any()):
            return 0, self.num_keys
        keys = _true_range(by_key.flatten(0, -2).any(0))
        ahead = _true_range(diagonal.flatten(0, -2).any(0))  # the distances s − t, shifted
        first = max(keys[0], rows[0] + ahead[0] - self.num_queries + 1)
        last = min(keys[1], rows[1] - 1 + ahead[1] - self.num_queries + 1)
        return (first, last) if first < last else (0, 0)

    def item(self, index: int) -> "Visibility":
        """One of the leading dimension's; all are the same if there is but one."""
        return self._mapped(lambda tensor: tensor[index if len(tensor) > 1 else 0])

    def cut(self, queries: Range, keys: Range) -> "Visibility":
        """Only some neighbouring queries and keys, as if there were no others."""
        num_queries, num_keys = queries[1] - queries[0], keys[1] - keys[0]
        if self.dense is not None:
            dense = self.dense[..., slice(*queries), slice(*keys)]
            return Visibility(num_queries, num_keys, None, None, None, dense)
        diagonal, columns, free = self._vectors()
        return Visibility(
            num_queries,
            num_keys,
            _diagonal_cut(diagonal, self.num_queries, queries, keys),
            columns[..., slice(*keys)],
            free[..., slice(*queries)],
        )

    def without(self, left_out: Tensor) -> "Visibility":
        """The same, but the keys `left_out`, bool [S], are seen by no query."""
        kept = ~left_out
        if self.dense is None:
            diagonal, columns, free = self._vectors()
            kept = kept.to(columns.device)
            if bool(free.all()):
                diagonal, columns = torch.ones_like(diagonal), torch.ones_like(columns)
            elif bool(free.any()):
                diagonal = diagonal | self._spans(free)
            if diagonal is self.diagonal or bool(free.all()) or self._is_same(diagonal):
                free = torch.zeros_like(free)
                return Visibility(self.num_queries, self.num_keys, diagonal, columns & kept, free)
        every = (0, self.num_queries), (0, self.num_keys)
        return Visibility.of_mask(self.block(*every) & kept)

    def _spans(self, free: Tensor) -> Tensor:
        """The distances over which free rows look: bool [L, T + S − 1]."""
        spans = torch.zeros(*free.shape[:-1], self.num_queries + self.num_keys - 1).bool()
        for *lead, row in free.nonzero().tolist():
            first = self.num_queries - 1 - row
            spans[(*lead, slice(first, first + self.num_keys))] = True
        return spans.to(free.device)

    def _is_same(self, diagonal: Tensor) -> bool:
        """Whether the rule says the same with a wider diagonal in the place of free rows, as of
        a causal matrix, whose last row sees all."""
        known, columns, free = self._vectors()
        if len(free.flatten(0, -2)) > 1 or not bool(columns.all()):
            return False
        rows = (~free).flatten().nonzero().flatten()
        added = (diagonal & ~known).flatten().nonzero().flatten() - (self.num_queries - 1)
        reached = torch.searchsorted(rows, self.num_keys - added)
        return bool((reached == torch.searchsorted(rows, -added)).all())

    @property
    def is_everything(self) -> bool:
        """Whether every query can see every key."""
        if self.dense is not None:
            return bool(self.dense.all())
        diagonal, columns, free = self._vectors()
        return bool(free.all()) or bool(diagonal.all() and columns.all())

    @property
    def is_causal(self) -> bool:
        """Whether no query can see a later key."""
        if self.num_queries != self.num_keys or self.num_queries == 1:
            return False
        if self.dense is not None:
            return not bool(self.dense.triu(1).any())
        diagonal, _, free = self._vectors()
        ahead = diagonal[..., self.num_queries :]
        return not bool(ahead.any()) and not bool(free[..., :-1].any())

    def _vectors(self) -> tuple[Tensor, Tensor, Tensor]:
        assert self.diagonal is not None
        assert self.columns is not None
        assert self.free is not None
        return self.diagonal, self.columns, self.free

    def _mapped(self, change: Callable[[Tensor], Tensor]) -> "Visibility":
        changed = [
            None if tensor is None else change(tensor)
            for tensor in (self.diagonal, self.columns, self.free, self.dense)
        ]
        return Visibility(self.num_queries, self.num_keys, *changed)


@dataclass(frozen=True)
class Bias:
    """What is added to the scores. Exactly one of the three tensors is set."""

    num_queries: int
    diagonal: Tensor | None = None  # float [L, T + S - 1]
    columns: Tensor | None = None  # float [L, S]
    dense: Tensor | None = None  # float [L, T, S]

    @classmethod
    def of_matrix(cls, matrix: Tensor) -> "Bias | None":
        """From a matrix [L, T, S]; None if it adds nothing."""
        num_queries, num_keys = matrix.shape[-2:]
        if torch.equal(matrix, matrix[..., :1, :].expand_as(matrix)):
            columns = matrix[..., 0, :]
            return cls(num_queries, columns=columns) if bool(columns.any()) else None
        diagonal = torch.cat([matrix[..., 1:, 0].flip(-1), matrix[..., 0, :]], dim=-1)
        every = _diagonal_block(diagonal, num_queries, (0, num_queries), (0, num_keys))
        if torch.equal(every, matrix):
            return cls(num_queries, diagonal=diagonal)
        return cls(num_queries, dense=matrix)

    def block(self, rows: Range, columns: Range) -> Tensor:
        """What is added in some rows and columns: [L, rows or 1, columns]."""
        if self.dense is not None:
            return self.dense[..., slice(*rows), slice(*columns)]
        if self.columns is not None:
            return self.columns[..., None, slice(*columns)]
        assert self.diagonal is not None
        return _diagonal_block(self.diagonal, self.num_queries, rows, columns)

    def cells(self, rows: Tensor, columns: Tensor) -> Tensor:
        """What is added in single cells, by two index tensors [n]: [L, n]."""
        if self.dense is not None:
            return self.dense[..., rows, columns]
        if self.columns is not None:
            return self.columns[..., columns]
        assert self.diagonal is not None
        return self.diagonal[..., columns - rows + self.num_queries - 1]

    def item(self, index: int) -> "Bias":
        """One of the leading dimension's; all are the same if there is but one."""
        changed = [
            None if tensor is None else tensor[index if len(tensor) > 1 else 0]
            for tensor in (self.diagonal, self.columns, self.dense)
        ]
        return Bias(self.num_queries, *changed)

    def cut(self, queries: Range, keys: Range) -> "Bias":
        """Only some neighbouring queries and keys, as if there were no others."""
        num_queries = queries[1] - queries[0]
        if self.dense is not None:
            return Bias(num_queries, dense=self.dense[..., slice(*queries), slice(*keys)])
        if self.columns is not None:
            return Bias(num_queries, columns=self.columns[..., slice(*keys)])
        assert self.diagonal is not None
        diagonal = _diagonal_cut(self.diagonal, self.num_queries, queries, keys)
        return Bias(num_queries, diagonal=diagonal)


def _true_range(flags: Tensor) -> Range:
    """First and one past the last True of a vector; (0, 0) if there is none."""
    places = flags.nonzero()
    return (int(places[0]), int(places[-1]) + 1) if len(places) else (0, 0)


def _skewed(matrix: Tensor) -> Tensor:
    """Rows shifted so that each diagonal stands in one column: [L, T, T + S - 1].

    Row t moves T − 1 − t columns to the right. Nothing is copied cell by cell: the rows are padded
    to T + S, and the same memory is read as rows that are one shorter.
    """
    num_queries, num_keys = matrix.shape[-2:]
    padded = F.pad(matrix.flip(-2), (0, num_queries)).flatten(-2)
    narrower = padded[..., :-num_queries]
    return narrower.reshape(*matrix.shape[:-1], num_queries + num_keys - 1)


def _diagonal_block(diagonal: Tensor, num_queries: int, rows: Range, columns: Range) -> Tensor:
    """The last row reads the diagonals from its first column on, the one above one later."""
    width = columns[1] - columns[0]
    first, last = columns[0] - rows[1] + num_queries, columns[0] - rows[0] + num_queries
    return diagonal[..., first : last - 1 + width].unfold(-1, width, 1).flip(-2)


def _diagonal_cut(diagonal: Tensor, num_queries: int, queries: Range, keys: Range) -> Tensor:
    num_left, num_keys = queries[1] - queries[0], keys[1] - keys[0]
    first = keys[0] - queries[0] + num_queries - num_left
    return diagonal[..., first : first + num_left + num_keys - 1]
