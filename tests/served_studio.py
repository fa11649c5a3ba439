"""A Studio served over a real socket by a thread of this process, so that a test sees inside."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from fastapi import FastAPI

from vitral.studio.session import Session


@dataclass
class Served:
    """Where it is, and what it knows and does."""

    address: str
    session: Session


@contextmanager
def served(app: FastAPI, **options: Any) -> Iterator[Served]:
    """`app` on a free port, as long as the block; `options` are uvicorn's."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        # An idle connection is kept: on a busy machine a client may take its time to use it again.
        given: dict[str, Any] = {"log_level": "warning", "lifespan": "on"}
        config = uvicorn.Config(app, **(given | {"timeout_keep_alive": 600} | options))
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            until(lambda: server.started)
            yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", app.state.session)
        finally:
            server.should_exit = True
            thread.join(30)
        assert not thread.is_alive()


def until(condition: Callable[[], bool]) -> None:
    """Wait for something to become true, half a minute at most."""
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to be")
