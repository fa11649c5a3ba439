"""A lane: a few threads with their running and waiting jobs, in fair order.

Clients take turns: the second job of a client waits until every other client has had its first.
Only one job at a time runs on a model; while one waits for its model, a job on another model runs
first.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from vitral.errors import VitralError
from vitral.stopping import Stop, Stopped


@dataclass(eq=False)
class Job:
    """One job: its client, its model, and its result."""

    work: Callable[[], Any]
    client: str = ""
    model: str | None = None
    num_waiting: int = 0
    """How many requests wait for it; with none it is dropped, or stopped."""
    stop: Stop = field(default_factory=Stop)
    future: "Future[Any]" = field(default_factory=Future)

    def __post_init__(self) -> None:
        self.future.set_running_or_notify_cancel()  # only its own thread ends it


class Lane:
    """`workers` threads; at most `most` jobs run or wait, `most_each` per client.

    An operation of torch's is spread over all CPU cores, or with `spread` False done by the
    worker alone: sharing out operations of a millisecond costs more than it gains where several
    workers do so.
    """

    def __init__(
        self, name: str, workers: int, most: int, most_each: int, *, spread: bool = True
    ) -> None:
        self.most, self.most_each = most, most_each
        self._pool = ThreadPoolExecutor(
            workers, f"vitral-{name}", initializer=_begin_worker, initargs=(spread,)
        )
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Job]] = {}  # by client; the first one's turn is next
        self._running: set[Job] = set()
        self._closed = False

    @property
    def num_pending(self) -> int:
        """The number of running and waiting jobs."""
        with self._lock:
            return len(self._running) + sum(map(len, self._waiting.values()))

    def submit(self, job: Job) -> None:
        """Queue a job. Raises VitralError("studio_busy") if too many are waiting."""
        with self._lock:
            if self._closed:
                raise VitralError("studio_closing")
            waiting = [each for jobs in self._waiting.values() for each in jobs]
            pending = [*self._running, *waiting]
            own = sum(each.client == job.client for each in pending)
            if len(pending) >= self.most or own >= self.most_each:
                raise VitralError("studio_busy")
            self._waiting.setdefault(job.client, deque()).append(job)
        self._pool.submit(self._work)

    def give_up(self, job: Job) -> None:
        """Cancel a job that no request waits for: drop it if it waits, stop it if it runs."""
        with self._lock:
            job.stop.ask()
            jobs = self._waiting.get(job.client)
            if jobs is not None and job in jobs:
                jobs.remove(job)
                if not jobs:
                    del self._waiting[job.client]

    def num_before(self, job: Job) -> int | None:
        """How many jobs come before a waiting one: those that run, and those whose turn is earlier.
        0 for a running job; None for one that is done or cancelled."""
        with self._lock:
            if job in self._running:
                return 0
            turns = [
                (turn, seat, each)
                for seat, jobs in enumerate(self._waiting.values())
                for turn, each in enumerate(jobs)
            ]
            own = next(((turn, seat) for turn, seat, each in turns if each is job), None)
            if own is None:
                return None
            return len(self._running) + sum((turn, seat) < own for turn, seat, _ in turns)

    def close(self) -> None:
        """Drop waiting jobs, stop running ones, accept no more."""
        with self._lock:
            self._closed = True
            dropped = [job for jobs in self._waiting.values() for job in jobs]
            self._waiting.clear()
            for job in self._running:
                job.stop.ask()
        for job in dropped:
            job.future.set_exception(Stopped())
        self._pool.shutdown(wait=False)

    def _work(self) -> None:
        """In a thread: run the jobs that can run now, until there are none.

        Each job submitted calls this once. A call that finds every waiting job's model in use
        ends; the thread that uses the model takes the job afterwards.
        """
        while (job := self._take()) is not None:
            try:
                with job.stop.heeded():
                    result = job.work()
            except BaseException as error:
                self._finish(job)
                job.future.set_exception(error)
            else:
                self._finish(job)
                job.future.set_result(result)

    def _take(self) -> Job | None:
        with self._lock:
            in_use = {job.model for job in self._running} - {None}
            for client, jobs in self._waiting.items():
                job = next((each for each in jobs if each.model not in in_use), None)
                if job is not None:
                    jobs.remove(job)
                    del self._waiting[client]
                    if jobs:
                        self._waiting[client] = jobs  # the client's next turn comes last
                    self._running.add(job)
                    return job
            return None

    def _finish(self, job: Job) -> None:
        with self._lock:
            self._running.discard(job)


_first_worker = threading.Lock()
_cores = 0


def _begin_worker(spread: bool) -> None:
    """In a new thread: set over how many CPU cores its operations are spread.

    PyTorch gives every new thread the number that was set most recently, so each sets its own.
    """
    global _cores
    import torch

    with _first_worker:
        _cores = _cores or torch.get_num_threads()
        torch.set_num_threads(_cores if spread else 1)
