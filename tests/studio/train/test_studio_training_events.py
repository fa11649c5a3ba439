"""A training's events: what is sent, and what is sent again to who comes back."""

import asyncio
import json
from pathlib import Path
from typing import Any

from vitral.studio.rooms.train import events, schemas
from vitral.studio.rooms.train.curve_columns import columns_of
from vitral.studio.rooms.train.schemas import Run
from vitral.training.runs.curve import Curve

STEP = {"loss": 2.0, "rate": 1.0, "gradient_norm": 0.5, "tokens": 64, "seconds": 0.1}


def write(run: Path, first: int, last: int) -> None:
    with (run / "steps.jsonl").open("a", encoding="utf-8") as file:
        for step in range(first, last + 1):
            norms = {"gradient_norms": {"layers.0": 0.1}} if step % 10 == 0 else {}
            file.write(json.dumps({"step": step, **STEP, **norms}) + "\n")
    with (run / "curve.jsonl").open("a", encoding="utf-8") as file:
        for step in range(first, last + 1):
            if step % 5 == 0:
                line = {"step": step, "tokens": step, "minutes": 0.1, "loss": 2, "held_out_loss": 3}
                file.write(json.dumps(line) + "\n")


def some_run(step: int = 0) -> Run:
    fields = dict.fromkeys(Run.model_fields)
    return Run.model_construct(**{**fields, "id": "x", "step": step})


def first_curve(run: Path, last_id: str | None) -> tuple[dict[str, Any], str]:
    """The first event about the curve, and its id."""

    async def listen() -> str:
        async for event in events.listen(run, lambda: some_run(), last_id):
            if event.startswith("event: curve"):
                return event
        raise AssertionError

    event = asyncio.run(asyncio.wait_for(listen(), 20))
    id = event.split("\nid: ")[1].split("\n")[0]
    data: dict[str, Any] = json.loads(event.split("\ndata: ")[1])
    return data, id


def test_who_comes_back_is_sent_what_is_new(tmp_path: Path) -> None:
    write(tmp_path, 1, 20)
    data, id = first_curve(tmp_path, None)
    assert data["restart"] is True
    assert data["steps"]["step"] == list(range(1, 21))
    assert [each["step"] for each in data["evaluations"]] == [5, 10, 15, 20]
    assert schemas.CurveEvent.model_validate(data).steps.step == data["steps"]["step"]
    assert [line["step"] for line in data["gradients"]] == [10, 20]
    write(tmp_path, 21, 25)
    data, _ = first_curve(tmp_path, id)
    assert data["restart"] is False
    assert data["steps"]["step"] == [21, 22, 23, 24, 25]
    assert [each["step"] for each in data["evaluations"]] == [25]


def test_a_line_that_is_being_written_waits(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    with (tmp_path / "steps.jsonl").open("a") as file:
        file.write('{"step": 3, "lo')
    data, id = first_curve(tmp_path, None)
    assert data["steps"]["step"] == [1, 2]
    with (tmp_path / "steps.jsonl").open("a") as file:
        file.write('ss": 1.5}\n')
    data, _ = first_curve(tmp_path, id)
    assert (data["steps"]["step"], data["steps"]["loss"]) == ([3], [1.5])


def test_a_curve_that_was_cut_is_sent_anew(tmp_path: Path) -> None:
    write(tmp_path, 1, 20)
    _, id = first_curve(tmp_path, None)
    curve = Curve(tmp_path)
    curve.started("x", 1, 12)  # as a run does that goes on from its checkpoint
    curve.stopped(12)
    write(tmp_path, 13, 40)  # longer than before: its size tells nothing
    data, _ = first_curve(tmp_path, id)
    assert data["restart"] is True
    assert data["steps"]["step"] == list(range(1, 41))


def test_an_id_of_somebody_elses_begins_at_the_beginning(tmp_path: Path) -> None:
    write(tmp_path, 1, 3)
    for id in ("", "nonsense", "1.2", "9" * 30, "-1.0.0.0"):
        assert first_curve(tmp_path, id)[0]["steps"]["step"] == [1, 2, 3]


def test_listening_ends_with_the_run(tmp_path: Path) -> None:
    states = iter([some_run(), None])

    async def listen() -> list[str]:
        return [event async for event in events.listen(tmp_path, lambda: next(states), None)]

    said = asyncio.run(asyncio.wait_for(listen(), 20))
    assert [event.split("\n")[0] for event in said] == [
        "event: watched",
        "event: run",
        "event: gone",
    ]


def test_a_long_curve_comes_in_few_points() -> None:
    lines = [{**STEP, "step": step, "loss": float(step)} for step in range(1, 5001)]
    lines[0]["gradient_norm"] = None
    columns = columns_of(lines, most=1000)
    assert {len(column) for column in columns.values()} == {1000}
    assert columns["step"][:2] == [5, 10]
    assert columns["loss"][0] == 3.0
    assert columns["gradient_norm"][0] == 0.5
    assert abs(sum(filter(None, columns["seconds"])) - 500) < 1e-6
