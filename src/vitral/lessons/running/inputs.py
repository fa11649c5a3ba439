"""Random arguments for a learner's function, drawn as the exercise says."""

import random
from typing import Any

from vitral.lessons.manifest import InputEntry, WriteEntry


def drawn_calls(exercise: WriteEntry, count: int, dice: random.Random) -> list[list[Any]]:
    """`count` lists of arguments. A size with a name is the same wherever the name stands."""
    return [_drawn(exercise, dice) for _ in range(count)]


def _drawn(exercise: WriteEntry, dice: random.Random) -> list[Any]:
    sizes: dict[str, int] = {}

    def size(of: int | tuple[int, int] | str) -> int:
        if isinstance(of, str):
            return sizes.setdefault(of, dice.randint(2, 5))
        return of if isinstance(of, int) else dice.randint(*of)

    def array(entry: InputEntry, shape: list[int]) -> Any:
        if shape:
            return [array(entry, shape[1:]) for _ in range(shape[0])]
        low, high = entry.range
        return dice.randint(int(low), int(high)) if entry.whole else dice.uniform(low, high)

    return [array(entry, [size(each) for each in entry.shape]) for entry in exercise.inputs]
