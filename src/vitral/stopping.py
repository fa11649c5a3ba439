"""Long work that has been cancelled ends at its next step.

A thread cannot be ended from outside. So long work checks now and then whether to continue
(a traced forward pass at every layer, a measured one at every block of rows, writing at every
token), and its owner may stop it from any other thread:

    stop = Stop()
    with stop.heeded():     # in the thread that works
        model.trace(text)   # raises Stopped at the next layer ...
    stop.ask()              # ... after this, in another one

Without a stop, the check reads one context variable and costs nothing else.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Stopped(BaseException):
    """The work was cancelled. Not an Exception, so that no handler on the way out takes
    it for an error to recover from (as `asyncio.CancelledError` is none)."""


class Stop:
    """The stop of one job: requested at most once, by any thread."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    @property
    def asked(self) -> bool:
        """Whether the work should end."""
        return self._asked.is_set()

    def ask(self) -> None:
        """Ask the work to end at its next step."""
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
    """Raises Stopped if this work was asked to end."""
    stop = _heeded.get()
    if stop is not None and stop.asked:
        raise Stopped
