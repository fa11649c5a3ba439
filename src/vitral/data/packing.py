"""Several whole documents per row, with rows of one length; no document attends to another.

Where documents are short (a number and its name, a message, a question), a row each would be
mostly padding. So several share a row: `documents` gives the one that each token belongs to, for
attention to stay within one, and no token has to predict another document's beginning.

    row        <s> tres <s>  <s> cien to <s>  …
    targets    tres <s>  –   cien to <s>  –   …      (with end=begin="<s>", the – is not there)
    documents   0   0        1   1   1        2      (2: the padding)

The rows are planned once: documents in an order that the seed gives, a few thousand at a time,
the longest first, each into the fullest row that has room for it (best fit decreasing; Johnson
1973, "Near-optimal bin packing algorithms"), which leaves a few percent empty. Every epoch takes
all rows in another order; a step's rows depend on the seed and the step's number only. A document
longer than a row is continued in other rows.

Shapes: B rows, T tokens of a row.
"""

from bisect import bisect_left, insort
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitral.data.token_file import TokenFile
from vitral.errors import VitralError

NOT_ASKED = -100
"""The target of padding (the value that PyTorch's cross-entropy leaves out)."""

_AT_ONCE = 4096
_ALL = slice(None)


@dataclass(frozen=True)
class PackedRows:
    """What a model reads, `ids` [B, T]; what it should predict, `targets` [B, T]; and which
    document of the row each token belongs to, `documents` [B, T], counted from 0. The padding at
    a row's end has ids of 0, targets of `NOT_ASKED` and the next number."""

    ids: NDArray[np.int64]
    targets: NDArray[np.int64]
    documents: NDArray[np.int64]


class Packing:
    """A corpus packed into rows of `length` tokens. `begin` is put before each document and
    `end` after it (None: nothing is); both are tokens like others, and the last is only
    predicted, never read.

    Raises VitralError `corpus_shorter_than_window` if no document has two tokens.
    """

    def __init__(
        self,
        tokens: TokenFile,
        length: int,
        *,
        seed: int,
        begin: int | None = None,
        end: int | None = None,
    ) -> None:
        self.tokens, self.length, self.seed = tokens, length, seed
        self._begin, self._end = _as_list(begin), _as_list(end)
        self._bounds = np.append(tokens.documents, len(tokens.ids))
        # A document of n tokens, special ones included, has n − 1 targets.
        num_asked = np.diff(self._bounds) + len(self._begin) + len(self._end) - 1
        num_pieces = -(-num_asked // length)
        self._documents = np.repeat(np.arange(len(num_asked)), num_pieces)
        firsts = np.cumsum(num_pieces) - num_pieces
        self._offsets = (np.arange(len(self._documents)) - np.repeat(firsts, num_pieces)) * length
        self._sizes = np.minimum(num_asked[self._documents] - self._offsets, length)
        if len(self._sizes) == 0:
            raise VitralError("corpus_shorter_than_window", length=len(tokens.ids), window=2)
        self._order, self._ends = self._plan()
        self._epoch = -1
        self._shuffled: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    @property
    def num_rows(self) -> int:
        """The rows of an epoch."""
        return len(self._ends)

    @property
    def filled(self) -> float:
        """The share of positions that are not padding."""
        return float(self._sizes.sum() / (self.num_rows * self.length))

    def rows(self, step: int, num_rows: int, rows: slice = _ALL) -> PackedRows:
        """The `num_rows` rows of a step, or of these only `rows`."""
        wanted = range(step * num_rows, (step + 1) * num_rows)[rows]
        shape = (len(wanted), self.length)
        packed = PackedRows(
            np.zeros(shape, dtype=np.int64),
            np.full(shape, NOT_ASKED, dtype=np.int64),
            np.zeros(shape, dtype=np.int64),
        )
        for index, number in enumerate(wanted):
            self._fill(packed, index, self._row(number))
        return packed

    def _plan(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The pieces, those of a row next to each other, and where in them each row ends."""
        shuffled = np.random.default_rng((self.seed, 0)).permutation(len(self._sizes))
        rows: list[list[int]] = []
        for first in range(0, len(shuffled), _AT_ONCE):
            rows += _best_fit(shuffled[first : first + _AT_ONCE], self._sizes, self.length)
        order = np.fromiter((piece for row in rows for piece in row), np.int64, len(shuffled))
        return order, np.cumsum([len(row) for row in rows])

    def _row(self, number: int) -> NDArray[np.int64]:
        """The pieces of a row, counted through all epochs."""
        epoch, place = divmod(number, self.num_rows)
        if epoch != self._epoch:
            generator = np.random.default_rng((self.seed, 1, epoch))
            self._shuffled, self._epoch = generator.permutation(self.num_rows), epoch
        row = int(self._shuffled[place])
        return self._order[(self._ends[row - 1] if row else 0) : self._ends[row]]

    def _fill(self, packed: PackedRows, index: int, pieces: NDArray[np.int64]) -> None:
        place = 0
        for number, piece in enumerate(pieces):
            read = self._read(int(piece))
            here = slice(place, place + len(read) - 1)
            packed.ids[index, here], packed.targets[index, here] = read[:-1], read[1:]
            packed.documents[index, here] = number
            place = here.stop
        packed.documents[index, place:] = len(pieces)

    def _read(self, piece: int) -> NDArray[np.int64]:
        """The tokens of a piece, and the one after it."""
        document = self._documents[piece]
        first, last = self._bounds[document], self._bounds[document + 1]
        start, before = int(self._offsets[piece]), len(self._begin)
        stop = start + int(self._sizes[piece]) + 1
        inside = self.tokens.ids[first + max(0, start - before) : min(first + stop - before, last)]
        whole = before + int(last - first)
        return np.concatenate(
            (
                np.array(self._begin[start:stop], dtype=np.int64),
                inside.astype(np.int64),
                np.array(self._end[: max(0, stop - whole)], dtype=np.int64),
            )
        )


def _as_list(mark: int | None) -> list[int]:
    return [] if mark is None else [mark]


def _best_fit(pieces: NDArray[np.int64], sizes: NDArray[np.int64], length: int) -> list[list[int]]:
    """Rows of pieces: the longest first, each into the fullest row that has room for it."""
    rows: list[list[int]] = []
    room: list[tuple[int, int]] = []  # of each row that is not full, and its number; sorted
    for piece in pieces[np.argsort(-sizes[pieces], kind="stable")].tolist():
        size = int(sizes[piece])
        fitting = bisect_left(room, (size, -1))
        if fitting == len(room):
            rows.append([piece])
            left, row = length - size, len(rows) - 1
        else:
            left, row = room.pop(fitting)
            rows[row].append(piece)
            left -= size
        if left:
            insort(room, (left, row))
    return rows
