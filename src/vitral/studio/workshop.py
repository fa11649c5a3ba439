"""Where slow work is done: a few threads, and a bound on what may wait for them.

Models run here, never in the event loop, so that pages and files are served while one computes.
"""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from vitral.errors import VitralError

P = ParamSpec("P")
R = TypeVar("R")


class Workshop:
    """`workers` threads; at most `waiting` pieces of work run or wait at one time."""

    def __init__(self, workers: int, waiting: int) -> None:
        self.waiting = waiting
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="vitral-studio")
        self.num_pending = 0

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The result of `work(*args, **kwargs)`, done in a thread. Called from the event loop.

        Work that has begun is finished even if the caller goes away.
        Raises VitralError("studio_busy") where too much waits already.
        """
        if self.num_pending >= self.waiting:
            raise VitralError("studio_busy")
        self.num_pending += 1
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._pool, functools.partial(work, *args, **kwargs))
        future.add_done_callback(self._done)
        return await asyncio.shield(future)

    def _done(self, future: "asyncio.Future[R]") -> None:
        self.num_pending -= 1
        if not future.cancelled():
            future.exception()  # seen, even where nobody waits for it any more

    def close(self) -> None:
        """Let the running work end; drop what has not begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)
