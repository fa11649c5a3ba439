"""Ctrl-C and `kill` while a run is under way: the step is finished, then everything is saved.

A signal that broke into the middle of a step would leave some weights moved and others not. So
the first one only asks the trainer to stop; a second one does not wait.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stopping_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Inside, the first SIGINT or SIGTERM calls `stop`, the next raises KeyboardInterrupt. Also
    where they were ignored, as in a shell's background. In other threads than the main one,
    which alone may handle signals, nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        stop()

    kinds = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(kind, handle) for kind in kinds]
    try:
        yield
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)
