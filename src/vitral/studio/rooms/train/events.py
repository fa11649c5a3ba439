"""What happens in a run, as server-sent events (https://html.spec.whatwg.org, "Server-sent
events"): the page listens, and after an interruption continues where it was.

    event: run      the run's current state, when it has changed
    event: curve    new steps and evaluations; `restart` if the page must discard those it has
    event: watched  the watched sentence and the steps it was recorded at, when there are more

The id of an event is the position up to which the two files of the curve were read. A browser
sends the last one when it reconnects.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitral.studio.rooms.train import schemas
from vitral.studio.rooms.train.curve_columns import columns_of, gradients_of
from vitral.studio.rooms.train.tail import Position, lines_after
from vitral.training.runs.curve import EVALUATIONS, STEPS
from vitral.training.watching.watched_files import read_watched, watched_steps

EVERY = 0.5
"""Seconds between two readings of the files."""

SILENCE = 15.0
"""Seconds after which a comment line keeps the connection open."""

START = Position()

_ID = re.compile(r"(\d{1,20})\.(\d{1,15})\.(\d{1,20})\.(\d{1,15})")


@dataclass(frozen=True)
class CurvePosition:
    """How far a listener has read: in the steps, and in the evaluations."""

    steps: Position = START
    evaluations: Position = START

    @property
    def id(self) -> str:
        parts = (self.steps.file, self.steps.offset, self.evaluations.file, self.evaluations.offset)
        return ".".join(map(str, parts))

    @classmethod
    def read(cls, id: str | None) -> "CurvePosition":
        """From the id that a browser sent; from the start if it is not such an id."""
        match = _ID.fullmatch(id or "")
        if match is None:
            return cls()
        numbers = [int(part) for part in match.groups()]
        return cls(Position(*numbers[:2]), Position(*numbers[2:]))


async def listen(
    path: Path, describe: Callable[[], schemas.Run | None], last_id: str | None
) -> AsyncIterator[str]:
    """The events of the run in the folder `path`, from `last_id` on, until the page disconnects or
    `describe` finds no run."""
    place, sent_run, watched = CurvePosition.read(last_id), "", None
    silent = 0.0
    while True:
        run = await asyncio.to_thread(describe)
        if run is None:
            yield _event("gone", {})
            return
        now = run.model_dump_json()
        event, place = await asyncio.to_thread(_curve, path, place)
        steps = await asyncio.to_thread(watched_steps, path)
        sent = False
        if event is not None:
            yield _event("curve", event, place.id)
            sent = True
        if steps != watched:
            watched = steps
            text = await asyncio.to_thread(read_watched, path)
            yield _event("watched", None if text is None else {**text, "steps": steps})
            sent = True
        if (
            now != sent_run
        ):  # last, so that a page has the whole curve when it learns that the run has ended
            sent_run = now
            yield f"event: run\ndata: {now}\n\n"
            sent = True
        silent = 0.0 if sent else silent + EVERY
        if silent >= SILENCE:
            silent = 0.0
            yield ": \n\n"
        await asyncio.sleep(EVERY)


def _curve(path: Path, place: CurvePosition) -> tuple[dict[str, Any] | None, CurvePosition]:
    """What was added to the curve after `place`."""
    steps, in_steps, again = lines_after(path / STEPS, place.steps)
    evaluations, in_evaluations, cut = lines_after(path / EVALUATIONS, place.evaluations)
    if again != cut:  # both are truncated together: read both from the start
        steps, in_steps, _ = lines_after(path / STEPS, Position())
        evaluations, in_evaluations, _ = lines_after(path / EVALUATIONS, Position())
        again = True
    there = CurvePosition(in_steps, in_evaluations)
    if not (steps or evaluations or again):
        return None, there
    event = {
        "restart": again or place == CurvePosition(),
        "steps": columns_of(steps),
        "gradients": gradients_of(steps),
        "evaluations": evaluations,
    }
    return event, there


def _event(name: str, data: Any, id: str | None = None) -> str:
    head = f"event: {name}\n" + (f"id: {id}\n" if id is not None else "")
    return f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n"
