"""The judgement of a learner's function: on random inputs, beside the lesson's own.

The learner's code runs in one process and gives plain numbers. They are compared here, so that no
object of the learner's has a say in it.
"""

import random
import secrets
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from vitral.errors import VitralError
from vitral.lessons.lesson import Lesson
from vitral.lessons.manifest import Said, WriteEntry
from vitral.lessons.running.inputs import drawn_calls
from vitral.lessons.running.process import Bounds, failure, run_code
from vitral.lessons.running.properties import PROPERTIES, close

NUM_CALLS = 12


@dataclass(frozen=True)
class Verdict:
    """Whether it passed; if not, one line says why, and if the lesson knows the mistake, its own
    words do."""

    passed: bool
    line: VitralError | None = None
    mistake: str | None = None
    words: Said | None = None
    printed: str = ""


def judge(
    lesson: Lesson,
    name: str,
    exercise: WriteEntry,
    code: str,
    bounds: Bounds | None = None,
    *,
    isolated: bool = True,
    seed: int | None = None,
) -> Verdict:
    """Judge `code` as the answer to an exercise ③. Raises VitralError("code_off")."""
    dice = random.Random(secrets.randbits(64) if seed is None else seed)
    calls, expected = _questions(lesson, exercise, dice)
    asked = [(each, PROPERTIES[each]) for each in exercise.properties]
    checks = [(word, kind, kind.calls(deepcopy(calls[0]))) for word, kind in asked]
    extra = [call for _, _, more in checks for call in more]
    run = run_code(code, exercise.function, [*calls, *extra], bounds, isolated=isolated)
    if run.error is not None:
        return Verdict(False, run.error, printed=run.printed)
    if len(run.results) != len(calls) + len(extra):
        return Verdict(False, VitralError("code_died"), printed=run.printed)
    given = [result.get("value") for result in run.results]
    failed = [result.get("failed") for result in run.results]
    for call, wanted, found, fault in zip(calls, expected, given, failed, strict=False):
        if fault is None and close(found, wanted, exercise.tolerance):
            continue
        shown = f"{exercise.function}({', '.join(map(_short, call))})"
        if fault is not None:
            line = failure(fault)
        else:
            line = VitralError(
                "judge_wrong", call=shown, given=_short(found), expected=_short(wanted)
            )
        mistake = _known(lesson, exercise, calls, given)
        words = exercise.mistakes[mistake] if mistake is not None else None
        return Verdict(False, line, mistake, words, run.printed)
    for fault in failed[len(calls) :]:
        if fault is not None:
            return Verdict(False, failure(fault), printed=run.printed)
    rest = given[len(calls) :]
    for word, kind, more in checks:
        answers, rest = rest[: len(more)], rest[len(more) :]
        if not kind.holds(calls[0], answers, exercise.tolerance):
            return Verdict(False, VitralError(f"judge_{word}"), printed=run.printed)
    return Verdict(True, printed=run.printed)


def _questions(
    lesson: Lesson, exercise: WriteEntry, dice: random.Random
) -> tuple[list[list[Any]], list[Any]]:
    """The calls, and what each should return."""
    calls = [list(arguments) for arguments, _ in exercise.cases]
    expected: list[Any] = [wanted for _, wanted in exercise.cases]
    if exercise.inputs and lesson.ours:
        drawn = drawn_calls(exercise, NUM_CALLS, dice)
        own = lesson.solution(exercise.function)
        calls += drawn
        expected += [own(*deepcopy(each)) for each in drawn]
    return calls, expected


def _known(
    lesson: Lesson, exercise: WriteEntry, calls: Sequence[list[Any]], given: Sequence[Any]
) -> str | None:
    """The mistake of the lesson's list that gives these very answers."""
    if not lesson.ours:
        return None
    for name in exercise.mistakes:
        wrong = lesson.mistake(name, exercise.function)
        answers = [_attempted(wrong, each) for each in calls]
        tolerance = exercise.tolerance
        if all(close(a, b, tolerance) for a, b in zip(given, answers, strict=False)):
            return name
    return None


def _attempted(function: Callable[..., Any], arguments: list[Any]) -> Any:
    try:
        return function(*deepcopy(arguments))
    except (ArithmeticError, ValueError, TypeError, IndexError):
        return None


def _short(value: Any) -> str:
    """A value as a line has room for it."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        shown = [_short(each) for each in value[:4]]
        return f"[{', '.join([*shown, '…'] if len(value) > 4 else shown)}]"
    return repr(value)[:60]
