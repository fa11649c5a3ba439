"""Ctrl-C and `kill` while a run is under way: the step is finished, then everything is saved.

A signal that broke into the middle of a step would leave some weights moved and others not. So
the first one only asks the trainer to stop; a second one does not wait.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType


@contextmanager
def stopping_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Inside, the first SIGINT or SIGTERM calls `stop`, the next raises KeyboardInterrupt. Also
    where they were ignored, as in a shell's background. Only the main thread may handle signals:
    in others nothing changes."""
    asked = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        stop()

    with _handled_by(handle):
        yield


def interrupted_by_signals() -> AbstractContextManager[None]:
    """Inside, SIGINT and SIGTERM raise KeyboardInterrupt at once, also where they were ignored."""
    return _handled_by(signal.default_int_handler)


@contextmanager
def _handled_by(handle: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(kind, handle) for kind in kinds]
    try:
        yield
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)
