"""Where slow work is done: two lanes of threads, so that a short job never waits for a long one.
Work that no request waits for is cancelled.

Models run here, never in the event loop, so that pages and files are served while one computes.
A coroutine that awaits a piece of work and is cancelled (because its client disconnected, see
gate/cancel_on_disconnect.py) leaves it; work that all have left is dropped if it waits, and
stopped at its next step (see `vitral.stopping`) if it runs.
"""

import asyncio
import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from vitral.errors import VitralError
from vitral.stopping import Stopped
from vitral.studio.limits import Limits
from vitral.studio.work.lane import Job, Lane
from vitral.studio.work.requester import requester

P = ParamSpec("P")
R = TypeVar("R")


class Workshop:
    """All methods are called from the event loop."""

    def __init__(self, limits: Limits) -> None:
        most, most_each = limits.waiting, limits.waiting_each
        self._long = Lane("long", limits.workers, most, most_each)
        self._quick = Lane("quick", limits.quick_workers, most, most_each, spread=False)
        self._shared: dict[str, Job] = {}
        self._tickets: dict[str, Job] = {}

    @property
    def num_pending(self) -> int:
        """The number of running and waiting jobs."""
        return self._long.num_pending + self._quick.num_pending

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The result of `work(*args, **kwargs)`, done in a thread of the long lane.

        Raises VitralError("studio_busy") if too many jobs are waiting.
        """
        job = Job(functools.partial(work, *args, **kwargs), requester.get().client)
        self._long.submit(job)
        result: R = await self._wait(self._long, job)
        return result

    async def quick(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """As `run`, for short work without a model; it waits only for other short work."""
        job = Job(functools.partial(work, *args, **kwargs), requester.get().client)
        self._quick.submit(job)
        result: R = await self._wait(self._quick, job)
        return result

    async def run_on(self, model: str, key: str | None, work: Callable[[], R]) -> R:
        """As `run`, for work that borrows `model`: it takes no thread while others use that.

        Simultaneous work with the same `key` runs once, and is stopped when all its requests
        have left; without a key it belongs to this request alone.
        """
        job = self._shared.get(key) if key is not None else None
        if job is None or job.stop.asked:
            job = Job(work, requester.get().client, model)
            self._long.submit(job)
            if key is not None:
                self._shared[key] = job
        try:
            result: R = await self._wait(self._long, job)
        finally:
            if key is not None and job.num_waiting == 0 and self._shared.get(key) is job:
                del self._shared[key]
        return result

    def num_before(self, ticket: str) -> int | None:
        """How many jobs come before the one that a request with this ticket waits for; 0 while it
        runs, None if there is none."""
        job = self._tickets.get(ticket)
        return None if job is None else self._long.num_before(job)

    def close(self) -> None:
        """Drop waiting jobs, stop running ones, start no more."""
        self._long.close()
        self._quick.close()

    async def _wait(self, lane: Lane, job: Job) -> Any:
        ticket = requester.get().ticket
        job.num_waiting += 1
        if ticket is not None and lane is self._long:
            self._tickets[ticket] = job
        try:
            return await asyncio.wrap_future(job.future)
        except Stopped as error:  # only a workshop that closes stops what is waited for
            raise VitralError("studio_closing") from error
        finally:
            job.num_waiting -= 1
            if ticket is not None and self._tickets.get(ticket) is job:
                del self._tickets[ticket]
            if job.num_waiting == 0 and not job.future.done():
                lane.give_up(job)
