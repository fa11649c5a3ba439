import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vitral.training.optimization.schedules import LEAST_WARM_UP, RISE, rate_at
from vitral.training.recipes.recipe import ScheduleChoice

KINDS = ("constant", "cosine", "one_cycle", "stable_decay")
SHARE = st.floats(0, 1)


@st.composite
def schedules(draw: st.DrawFn) -> ScheduleChoice:
    warm_up = draw(st.floats(0, 0.9))
    return ScheduleChoice(
        kind=draw(st.sampled_from(KINDS)),
        warm_up=warm_up,
        decay_from=draw(st.floats(warm_up, 0.95)),
        final=draw(SHARE),
    )


def peak(schedule: ScheduleChoice) -> tuple[float, float]:
    """Where the full rate is reached, and where it is left."""
    if schedule.kind == "one_cycle":
        return RISE, RISE
    leaves = {"constant": 1.0, "cosine": schedule.warm_up, "stable_decay": schedule.decay_from}
    return schedule.warm_up, leaves[schedule.kind]


@given(schedule=schedules(), progress=st.floats(-1, 2))
def test_the_rate_is_never_none_or_more_than_full(
    schedule: ScheduleChoice, progress: float
) -> None:
    least = min(LEAST_WARM_UP, schedule.final)
    assert least - 1e-12 <= rate_at(progress, schedule) <= 1 + 1e-12


@given(schedule=schedules())
def test_it_begins_small_is_full_and_ends_as_it_should(schedule: ScheduleChoice) -> None:
    first, last = peak(schedule)
    assert rate_at(first, schedule) == pytest.approx(1.0)
    assert rate_at(last, schedule) == pytest.approx(1.0)
    end = 1.0 if schedule.kind == "constant" else schedule.final
    assert rate_at(1.0, schedule) == pytest.approx(end, abs=1e-9)
    if schedule.warm_up > 0 or schedule.kind == "one_cycle":
        assert rate_at(0.0, schedule) == pytest.approx(LEAST_WARM_UP)


@given(schedule=schedules(), one=SHARE, other=SHARE)
def test_it_rises_to_its_peak_and_never_after(
    schedule: ScheduleChoice, one: float, other: float
) -> None:
    before, after = sorted((one, other))
    first, _ = peak(schedule)
    assume(not before < first < after)
    difference = rate_at(after, schedule) - rate_at(before, schedule)
    assert difference >= -1e-12 if after <= first else difference <= 1e-12


@given(schedule=schedules(), place=SHARE, width=st.floats(0, 0.01))
def test_it_never_jumps(schedule: ScheduleChoice, place: float, width: float) -> None:
    """Its slope is at most that of its steepest part; half a wave is π/2 times a straight line."""
    first, last = peak(schedule)
    ends = place + width
    assume(ends <= 1)
    steepest = math.pi / 2 * max(1 / first if first else 0, 1 / (1 - last) if last < 1 else 0)
    moved = abs(rate_at(ends, schedule) - rate_at(place, schedule))
    assert moved <= steepest * width + 1e-9


@pytest.mark.parametrize(
    ("kind", "progress", "expected"),
    [
        ("constant", 0.05, 0.5),
        ("constant", 0.7, 1.0),
        ("cosine", 0.55, 0.6),  # half of the way down to 0.2
        ("cosine", 0.1 + 0.9 / 3, 0.2 + 0.8 * 0.75),
        ("one_cycle", 0.15, LEAST_WARM_UP + (1 - LEAST_WARM_UP) / 2),
        ("one_cycle", 0.65, 0.6),
        ("stable_decay", 0.5, 1.0),
        ("stable_decay", 0.9, 0.6),
        ("stable_decay", 0.85, 0.8),
    ],
)
def test_rates_computed_by_hand(kind: str, progress: float, expected: float) -> None:
    schedule = ScheduleChoice(kind=kind, warm_up=0.1, decay_from=0.8, final=0.2)
    assert rate_at(progress, schedule) == pytest.approx(expected)
