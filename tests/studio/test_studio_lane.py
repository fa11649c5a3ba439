"""Who works when: turns by client, one text a model, and bounds on what may wait."""

import threading
import time
from collections.abc import Iterator

import pytest
import torch

from served_studio import until
from vitral.errors import VitralError
from vitral.stopping import Stopped, check_stop
from vitral.studio.work.lane import Job, Lane


class Gate:
    """Work that runs until it is let go, and notes when it began."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.let_go = threading.Event()

    def job(self, name: str, client: str, model: str | None = None) -> Job:
        def work() -> str:
            self.began.append(name)
            assert self.let_go.wait(30)
            return name

        return Job(work, client, model)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.let_go.set()


def test_clients_take_turns(gate: Gate) -> None:
    lane = Lane("test", workers=1, most=20, most_each=10)
    first = gate.job("first", "greedy")
    lane.submit(first)
    until(lambda: gate.began == ["first"])
    greedy = [gate.job(f"greedy {number}", "greedy") for number in range(4)]
    other = [gate.job(f"other {number}", "other") for number in range(2)]
    for job in [*greedy, *other]:
        lane.submit(job)
    assert lane.num_before(first) == 0
    # One runs; then the two clients, turn by turn.
    assert [lane.num_before(job) for job in greedy] == [1, 3, 5, 6]
    assert [lane.num_before(job) for job in other] == [2, 4]
    gate.let_go.set()
    assert greedy[-1].future.result(30) == "greedy 3"
    assert gate.began[1:] == ["greedy 0", "other 0", "greedy 1", "other 1", "greedy 2", "greedy 3"]
    assert lane.num_before(first) is None
    until(lambda: lane.num_pending == 0)


def test_one_model_runs_one_text_and_holds_up_no_other_model(gate: Gate) -> None:
    lane = Lane("test", workers=3, most=20, most_each=10)
    for name, client, model in [
        ("a1", "x", "A"),
        ("a2", "y", "A"),
        ("a3", "z", "A"),
        ("b1", "x", "B"),
        ("none", "x", None),
    ]:
        lane.submit(gate.job(name, client, model))
    until(lambda: len(gate.began) == 3)
    time.sleep(0.05)
    assert sorted(gate.began) == ["a1", "b1", "none"]
    assert lane.num_pending == 5
    gate.let_go.set()
    until(lambda: lane.num_pending == 0)
    assert gate.began[3:] == ["a2", "a3"]


def test_bounds_on_what_waits(gate: Gate) -> None:
    lane = Lane("test", workers=1, most=3, most_each=2)
    jobs = [gate.job(str(number), "x") for number in range(2)]
    for job in jobs:
        lane.submit(job)
    with pytest.raises(VitralError, match="busy"):
        lane.submit(gate.job("own", "x"))
    lane.submit(gate.job("other", "y"))
    with pytest.raises(VitralError, match="busy"):
        lane.submit(gate.job("too much", "z"))
    until(lambda: gate.began == ["0"])
    lane.give_up(jobs[1])  # a place is free again
    lane.submit(gate.job("later", "z"))
    gate.let_go.set()
    until(lambda: lane.num_pending == 0)
    assert "1" not in gate.began
    assert "later" in gate.began


def test_work_given_up_stops_and_its_thread_goes_on(gate: Gate) -> None:
    lane = Lane("test", workers=1, most=3, most_each=3)
    running = threading.Event()

    def work() -> None:
        running.set()
        while True:
            time.sleep(0.01)
            check_stop()

    endless = Job(work)
    lane.submit(endless)
    assert running.wait(30)
    lane.give_up(endless)
    with pytest.raises(Stopped):
        endless.future.result(30)
    after = gate.job("after", "x")
    lane.submit(after)
    gate.let_go.set()
    assert after.future.result(30) == "after"


def test_closing_drops_what_waits_and_stops_what_runs(gate: Gate) -> None:
    lane = Lane("test", workers=1, most=3, most_each=3)
    running, waiting = gate.job("running", "x"), gate.job("waiting", "y")
    lane.submit(running)
    until(lambda: gate.began == ["running"])
    lane.submit(waiting)
    lane.close()
    assert running.stop.asked
    with pytest.raises(Stopped):
        waiting.future.result(30)
    with pytest.raises(VitralError, match="closing"):
        lane.submit(gate.job("late", "x"))


def test_a_lane_says_over_how_many_processors_its_work_is_spread() -> None:
    every = torch.get_num_threads()
    for spread in (True, False, True):
        lane = Lane("test", workers=1, most=3, most_each=3, spread=spread)
        job = Job(torch.get_num_threads)
        lane.submit(job)
        assert job.future.result(30) == (every if spread else 1)
    assert torch.get_num_threads() == every
