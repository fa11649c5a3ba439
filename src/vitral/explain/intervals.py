"""How sure a share is: intervals at 95 %.

*Wilson's score interval* (Wilson 1927, JASA 22:209) for one share of n independent cases; unlike
the textbook's p ± 1.96·√(p(1−p)/n) it never leaves 0 to 1, nor shrinks to nothing at p = 0 or 1.

*The bootstrap over sentences* (Efron & Tibshirani 1993, chapter 13, percentiles) for the
difference of two shares measured on the same cases, which are not independent within a sentence:
whole sentences are resampled with replacement.
"""

import math

import torch
from torch import Tensor

Z = 1.959963984540054
"""The normal distribution's 97.5th percentile."""


def wilson(correct: int, count: int) -> tuple[float, float]:
    """The interval of the share `correct` / `count`, from 0 to 1; (0, 1) of nothing."""
    if not count:
        return 0.0, 1.0
    share = correct / count
    middle = share + Z**2 / (2 * count)
    half = Z * math.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    scale = 1 + Z**2 / count
    low = (middle - half) / scale if correct else 0.0
    high = (middle + half) / scale if correct < count else 1.0
    return low, high


def bootstrap_difference(
    first_S: Tensor, second_S: Tensor, counts_S: Tensor, *, draws: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """The interval of Σ first / Σ counts − Σ second / Σ counts, by resampling sentences.

    The tensors hold one number per sentence: how many cases each answer got right, and how many
    there were. The same seed gives the same interval.
    """
    generator = torch.Generator().manual_seed(seed)
    cases = counts_S > 0
    gained, counts = (first_S - second_S)[cases].double(), counts_S[cases].double()
    drawn = torch.randint(len(counts), (draws, len(counts)), generator=generator)
    differences = gained[drawn].sum(-1) / counts[drawn].sum(-1)
    low, high = differences.quantile(torch.tensor([0.025, 0.975]).double()).tolist()
    return low, high
