"""What a person may ask of a pattern, each an order, and where the rows of a call stand.

Orders name rows and columns by the tokens' places in the whole text. A call of the attention
function may see only some of them: with a cache, one new row at a time. Its `Frame` says which.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

import torch
from torch import Tensor

from vitral.errors import VitralError


@dataclass(frozen=True)
class Frame:
    """Where a call's rows and columns stand among the text's tokens.

    `growing` says that more tokens may come in later calls: a place that is not there yet is
    then no mistake.
    """

    first_row: int
    num_rows: int
    first_key: int
    num_keys: int
    growing: bool

    def row(self, place: int) -> int | None:
        """A token's row in the call, None if it is in another; VitralError if in none."""
        return self._within(place, self.first_row, self.num_rows)

    def column(self, place: int) -> int | None:
        """The same for its column."""
        return self._within(place, self.first_key, self.num_keys)

    def _within(self, place: int, first: int, length: int) -> int | None:
        if first <= place < first + length:
            return place - first
        if place < first or self.growing:
            return None
        raise VitralError("edit_token_out_of_range", token=place, num_tokens=first + length)


texts_run: ContextVar[tuple[Sequence[int], int] | None] = ContextVar("texts_run", default=None)
"""Which texts of a batch the pass that runs now reads, and how many there are: rows of unequal
length are run one length after another (`recording.row_traces`). None: it reads them all."""


def text_of(sequence: int) -> int:
    """Which text of the batch a sequence of the pass is."""
    here = texts_run.get()
    return here[0][sequence] if here is not None and sequence < len(here[0]) else sequence


def num_texts(num_sequences: int) -> int:
    """How many texts the batch has, of which a pass reads some."""
    here = texts_run.get()
    return num_sequences if here is None else here[1]


@dataclass(eq=False)
class Order:
    """One thing that was asked: of which attention, head (None: all) and texts of a batch.

    `reached` says whether a run has come to the place that it names, `ever` whether any has.
    """

    description: str
    prefix: str
    head: int | None
    sequences: frozenset[int] | None = None
    reached: bool = False
    ever: bool = False

    def concerns(self, sequence: int, head: int) -> bool:
        right_text = self.sequences is None or text_of(sequence) in self.sequences
        return right_text and (self.head is None or self.head == head)

    def check(self, num_sequences: int, num_heads: int) -> None:
        """Raises VitralError for a head, or a text of the batch, that is not there."""
        if self.head is not None and not 0 <= self.head < num_heads:
            raise VitralError("head_out_of_range", head=self.head, num_heads=num_heads)
        for each in self.sequences or ():
            if not 0 <= each < num_texts(num_sequences):
                most = num_texts(num_sequences)
                raise VitralError("edit_text_out_of_range", index=each, num_texts=most)

    def done(self) -> None:
        self.reached = self.ever = True

    @property
    def of_other_texts(self) -> bool:
        """Whether none of the texts that it is for is in the pass that runs now."""
        here = texts_run.get()
        return here is not None and self.sequences is not None and not self.sequences & {*here[0]}

    @property
    def positional(self) -> bool:
        """Whether it names tokens by their places."""
        return True


@dataclass(eq=False)
class Scale(Order):
    """A head's output times a factor, or a factor for each text of the batch."""

    factor: float | Tensor = 0.0

    @property
    def positional(self) -> bool:
        return False

    @property
    def silences(self) -> bool:
        return not isinstance(self.factor, Tensor) and self.factor == 0


@dataclass(eq=False)
class Even(Order):
    """Rows (None: all) spread evenly over the keys that they can see."""

    rows: tuple[int, ...] | None = None

    @property
    def positional(self) -> bool:
        return self.rows is not None


@dataclass(eq=False)
class Cell(Order):
    """One cell's weight; the rest of its row is renormalised unless `raw`."""

    row: int = 0
    column: int = 0
    value: float = 0.0
    raw: bool = False


@dataclass(eq=False)
class Column(Order):
    """A column's weights: one for each row, or the same for all rows that can see the key."""

    column: int = 0
    values: float | Tensor = 0.0
    raw: bool = False

    def of_rows(self, frame: Frame) -> tuple[Tensor, bool]:
        """The call's rows' weights [T], and whether they are meant only where allowed."""
        if not isinstance(self.values, Tensor):
            return torch.full((frame.num_rows,), float(self.values)), True
        last = frame.first_row + frame.num_rows
        enough = len(self.values) >= last if frame.growing else len(self.values) == last
        if not enough:
            raise shape_error(self.description, self.values.shape, (last,))
        return self.values[frame.first_row : last], False


@dataclass(eq=False)
class Rows(Order):
    """Whole rows (None: all) with their weights [n, S], for all heads [H, n, S]. `checked`
    says that they must keep to what the rows can see."""

    rows: tuple[int, ...] | None = None
    weights: Tensor | None = None
    checked: bool = False

    def in_frame(self, frame: Frame, head: int, num_heads: int) -> list[tuple[int, Tensor]]:
        """The rows that are in the call, each with its weights over the call's keys [S]."""
        assert self.weights is not None
        weights = self.weights
        last = frame.first_row + frame.num_rows
        rows = range(last) if self.rows is None else self.rows
        if weights.dim() == 3:
            if len(weights) != num_heads:
                raise shape_error(self.description, weights.shape, (num_heads, len(rows), "S"))
            weights = weights[head]
        enough = len(weights) >= len(rows) if frame.growing else len(weights) == len(rows)
        if not enough:
            raise shape_error(self.description, weights.shape, (len(rows), "S"))
        found = [(frame.row(row), weights[index]) for index, row in enumerate(rows)]
        return [(row, self._over_keys(given, frame)) for row, given in found if row is not None]

    def _over_keys(self, given: Tensor, frame: Frame) -> Tensor:
        """Keys that come later may be left out, or have no weight."""
        num_keys = frame.first_key + frame.num_keys
        beyond = bool(given[num_keys:].any()) or (len(given) != num_keys and not frame.growing)
        missing = len(given) < num_keys
        if beyond or missing:
            raise shape_error(self.description, given.shape, (num_keys,))
        return given[frame.first_key : num_keys]


@dataclass(eq=False)
class Blank(Order):
    """A token that no query can see."""

    token: int = 0


def shape_error(what: str, given: Sequence[int], wanted: Sequence[int | str]) -> VitralError:
    """The error for a value of the wrong shape."""
    shapes = {
        "given": "×".join(map(str, given)) or "1",
        "wanted": "×".join(map(str, wanted)) or "1",
    }
    return VitralError("edit_shape", what=what, **shapes)
