"""Long work that is not wanted any more ends at its next step.

A thread cannot be ended from outside. So long work asks now and then whether it should go on
(a traced forward pass at every layer, a measured one at every block of rows, writing at every
token), and whoever set it going may say no from any other thread:

    stop = Stop()
    with stop.heeded():     # in the thread that works
        model.trace(text)   # raises Stopped at the next layer ...
    stop.ask()              # ... after this, in another one

Where nobody heeds a stop, asking costs one look at a context variable.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Stopped(BaseException):
    """The work was not wanted any more. Not an Exception, so that nothing on the way out takes
    it for a failure that can be mended (as `asyncio.CancelledError` is none)."""


class Stop:
    """One piece of work's stop: asked for at most once, by any thread."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    @property
    def asked(self) -> bool:
        """Whether the work should end."""
        return self._asked.is_set()

    def ask(self) -> None:
        """Have the work end at its next step."""
        self._asked.set()

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Work done inside, in this thread, ends when it is asked to."""
        token = _heeded.set(self)
        try:
            yield
        finally:
            _heeded.reset(token)


_heeded: ContextVar[Stop | None] = ContextVar("stop", default=None)


def check_stop() -> None:
    """Raises Stopped where this work was asked to end."""
    stop = _heeded.get()
    if stop is not None and stop.asked:
        raise Stopped
