"""How the learning rate goes up and down in a run.

Large steps at first find the region, small ones at the end the place in it. Each schedule gives
the share of the peak rate at a progress p from 0 to 1; all begin with a linear *warm-up*, since
the first gradients of fresh weights are no guide for large steps.

* *constant*: nothing changes.
* *cosine* (Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983): half a cosine wave down.
* *one cycle* (Smith & Topin 2018, https://arxiv.org/abs/1708.07120): up for the first third of
  the run, down for the rest, both along cosines.
* *warm-up, stable, decay* (Hu et al. 2024, https://arxiv.org/abs/2404.06395): peak rate until
  `decay_from`, then a straight line down.
"""

import math

from vitral.training.recipes.recipe import ScheduleChoice

LEAST_WARM_UP = 0.01
"""The share of the rate at the first step of a warm-up: a rate of zero would learn nothing."""

RISE = 0.3
"""The share of a one-cycle run in which the rate rises."""


def rate_at(progress: float, schedule: ScheduleChoice) -> float:
    """The share of the peak rate at `progress` (0 … 1).

    >>> rate_at(1.0, ScheduleChoice(kind="cosine", final=0.1))
    0.1
    """
    p, end = min(max(progress, 0.0), 1.0), schedule.final
    if schedule.kind == "one_cycle":
        if p < RISE:
            return LEAST_WARM_UP + (1 - LEAST_WARM_UP) * _half_wave(p / RISE)
        return end + (1 - end) * (1 - _half_wave((p - RISE) / (1 - RISE)))
    if p < schedule.warm_up:
        return max(p / schedule.warm_up, LEAST_WARM_UP)
    if schedule.kind == "constant":
        return 1.0
    start = schedule.warm_up if schedule.kind == "cosine" else schedule.decay_from
    gone = 0.0 if p <= start else (p - start) / (1 - start)
    fallen = _half_wave(gone) if schedule.kind == "cosine" else gone
    return end + (1 - end) * (1 - fallen)


def _half_wave(share: float) -> float:
    """From 0 to 1 along half a cosine."""
    return 0.5 - 0.5 * math.cos(math.pi * share)
