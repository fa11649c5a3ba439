"""An interpolated n-gram model, the measure that a neural network must beat.

Kneser–Ney smoothing (Kneser & Ney 1995; Chen & Goodman 1999, section 2.7): each order takes a
fixed discount D off every count and gives what it saved to the next shorter context, in which a
symbol counts as often as it has *different* predecessors::

    p_n(w | h) = max(c(h w) - D, 0) / c(h) + D · types(h) / c(h) · p_{n-1}(w | h')

Symbols may be bytes or tokens. An n-gram is known by its rank among those of its length: that of
its first n - 1 symbols times the alphabet's size plus its last symbol is a code that fits 64 bits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ranks = NDArray[np.int64]


@dataclass
class Order:
    """All that is known of the n-grams of one length, by rank; contexts by the rank before."""

    codes: Ranks
    counts: Ranks
    totals: Ranks
    types: Ranks
    discount: float


class NGram:
    """An interpolated n-gram model of `order` over an alphabet of `num_symbols`."""

    def __init__(self, symbols: NDArray[np.integer], num_symbols: int, order: int = 5) -> None:
        self.num_symbols = num_symbols
        symbols = symbols.astype(np.int64)
        codes, firsts, lasts, raw = [], [], [], []
        ranks = np.zeros(len(symbols) + 1, dtype=np.int64)  # of the empty context, everywhere
        for length in range(1, order + 1):
            combined = ranks[:-1] * num_symbols + symbols[length - 1 :]
            unique, first, inverse, count = np.unique(
                combined, return_index=True, return_inverse=True, return_counts=True
            )
            codes.append(unique)
            firsts.append(first)
            raw.append(count)
            lasts.append(inverse)
            ranks = inverse
        self.orders = []
        for n in range(order):
            counts = raw[n]
            if n + 1 < order:
                # An n-gram that ends where a longer one first occurs follows one more symbol.
                counts = np.bincount(lasts[n][firsts[n + 1] + 1], minlength=len(codes[n]))
            contexts = codes[n] // num_symbols
            num_contexts = 1 if n == 0 else len(codes[n - 1])
            ones, twos = int((counts == 1).sum()), int((counts == 2).sum())
            self.orders.append(
                Order(
                    codes[n],
                    counts,
                    np.bincount(contexts, counts, num_contexts).astype(np.int64),
                    np.bincount(contexts[counts > 0], minlength=num_contexts),
                    ones / max(1, ones + 2 * twos),
                )
            )

    def bits(self, symbols: NDArray[np.integer]) -> float:
        """What the model needs to write down `symbols`, in bits."""
        symbols = symbols.astype(np.int64)
        probability = np.full(len(symbols), 1 / self.num_symbols)
        contexts = np.zeros(len(symbols), dtype=np.int64)
        for order in self.orders:
            code = np.where(contexts >= 0, contexts * self.num_symbols + symbols, -1)
            place = np.searchsorted(order.codes, code).clip(max=len(order.codes) - 1)
            seen = order.codes[place] == code
            ranks = np.where(seen, place, -1)
            total = np.where(contexts >= 0, order.totals[contexts], 0)
            known = total > 0
            total = np.maximum(total, 1)
            count = np.where(seen, order.counts[place], 0)
            longer = np.maximum(count - order.discount, 0) / total
            spared = order.discount * order.types[contexts] / total
            probability = np.where(known, longer + spared * probability, probability)
            contexts = np.concatenate(([-1], ranks[:-1]))
        return float(-np.log2(probability).sum())
