"""Whether an answer to a lesson's question, exercise or claim is right; nothing is typed in."""

from collections.abc import Mapping
from typing import Any

from vitral.errors import VitralError
from vitral.lessons.lesson import Lesson, value_of
from vitral.lessons.manifest import (
    ObserveEntry,
    PredictEntry,
    TuneEntry,
    Values,
    Wanted,
    YoursEntry,
)
from vitral.lessons.picture import Drawing, Value
from vitral.lessons.shelf import Shelf


def right_answer(shelf: Shelf, lesson: Lesson, entry: PredictEntry | ObserveEntry) -> Value:
    """What the experiment gives."""
    return shelf.value(lesson, entry.figure, entry.values, entry.value)


def predicted_right(entry: PredictEntry, given: Value, right: Value) -> bool:
    """Whether a prediction was right; a number may be off by the entry's tolerance."""
    if entry.options is not None:
        return str(given) == _option(right)
    if isinstance(given, str | bool) or isinstance(right, str | bool):
        return False
    return abs(given - right) <= entry.tolerance


def observed_right(entry: ObserveEntry, given: Value, right: Value) -> bool:
    """Whether what was read off is right."""
    if isinstance(given, str | bool) or isinstance(right, str | bool):
        return str(given).strip().casefold() == str(right).casefold()
    return abs(given - right) <= entry.tolerance


def tuned(shelf: Shelf, lesson: Lesson, entry: TuneEntry, values: Mapping[str, Any]) -> list[bool]:
    """Which of what is wanted holds at the figure's values. What cannot be moved does not count.

    Raises VitralError("lesson_value") for a value that the control does not reach.
    """
    figure = lesson.figure(entry.figure)
    moved = {name: value for name, value in values.items() if name in figure.controls}
    drawing = shelf.draw(
        lesson, entry.figure, {**entry.values, **within(lesson, entry.figure, moved)}
    )
    return holding(drawing, entry.until)


def holding(drawing: Drawing, wanted: list[Wanted]) -> list[bool]:
    """Which of what is wanted holds."""
    return [each.holds(value_of(drawing, each.value)) for each in wanted]


def checked_claims(
    shelf: Shelf, lesson: Lesson, entry: YoursEntry, values: Mapping[str, Any]
) -> tuple[Drawing, list[bool]]:
    """The figure on what the reader brought, and which claims hold there."""
    at: Values = {**entry.values, **within(lesson, entry.figure, values)}
    drawing = shelf.draw(lesson, entry.figure, at)
    return drawing, holding(drawing, entry.claims)


def within(lesson: Lesson, figure: str, values: Mapping[str, Any]) -> Values:
    """The values, if each is one that the figure's control can be moved to.

    Raises VitralError("lesson_value").
    """
    controls = lesson.figure(figure).controls
    for name, value in values.items():
        control = controls.get(name)
        if control is None:
            raise VitralError("lesson_value", parameter=name, reason="it cannot be moved")
        if control.range is not None:
            low, high = control.range
            if isinstance(value, str) or not low <= value <= high:
                raise VitralError("lesson_value", parameter=name, reason=f"{low:g} to {high:g}")
        if control.options is not None and _option(value) not in control.options:
            raise VitralError("lesson_value", parameter=name, reason=", ".join(control.options))
        if control.text is not None and len(str(value)) > control.text:
            raise VitralError("lesson_value", parameter=name, reason=f"≤ {control.text}")
    return dict(values)


def _option(value: Any) -> str:
    """A value as the name of an option."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
