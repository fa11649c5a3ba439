"""The connections to a Studio: how many there may be, and how long one may keep silent.

A client that connects and sends nothing, or half a request, holds a file descriptor. So a request
line and its headers come within `HEAD_SECONDS`; the body's next piece within `BODY_SECONDS`
(gate.py); and where there are as many connections as the process can serve, the one that has
waited longest without a request makes room for a new one.
"""

import asyncio
import errno
import logging
import time
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 15.0
MOST, LEAST = 512, 8
"""Connections at one time, whatever the process's limit …"""
ACCEPTED_AT_ONCE = 16
RESERVED = 64 + 3 * ACCEPTED_AT_ONCE
"""… and descriptors that are kept for files, models and trainings, and for connections that were
accepted and not yet counted."""

log = logging.getLogger("vitral.studio")


class PatientProtocol(H11Protocol):
    """uvicorn's, which ends a connection whose request does not come."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.since = time.monotonic()
        self._deadline: asyncio.TimerHandle | None = None
        self._await_head()
        if len(self.connections) > most_connections():
            idle = [each for each in self.connections if isinstance(each, PatientProtocol)]
            idle = [each for each in idle if each.is_idle and each is not self]
            first = min(idle, key=lambda each: each.since, default=self)
            self.connections.discard(first)
            first.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.is_idle:
            self._forget_head()
        elif self._deadline is None and not self.transport.is_closing():
            self._await_head()  # a further request has begun

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered: none came, or half of one."""
        return self.cycle is None or self.cycle.response_complete

    def on_response_complete(self) -> None:
        self.since = time.monotonic()
        super().on_response_complete()

    def _await_head(self) -> None:
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _forget_head(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self.is_idle and not self.transport.is_closing():
            self.transport.abort()


def most_connections() -> int:
    """How many connections this process can serve at one time."""
    try:
        import resource
    except ImportError:  # Windows, where sockets are no descriptors
        return MOST
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft < 0 else max(LEAST, min(MOST, soft - RESERVED))


def raise_descriptor_limit() -> None:
    """As many descriptors as the system lets this process have, up to four thousand."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if hard < 0 else min(hard, 4096)
    if 0 <= soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class QuietAboutDescriptors:
    """An event loop's exception handler: that no connection could be accepted is one line a minute,
    and not a traceback each time."""

    def __init__(self) -> None:
        self._said = -60.0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in (errno.EMFILE, errno.ENFILE):
            loop.default_exception_handler(context)
        elif time.monotonic() - self._said >= 60:
            self._said = time.monotonic()
            log.warning("no connection accepted: %s", error.strerror)
