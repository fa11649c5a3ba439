"""Running Studio: Vitral opens the socket, so that a port in use is one clear error."""

import asyncio
import errno
import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType

import uvicorn

from vitral.errors import VitralError
from vitral.studio.application import create_app
from vitral.studio.connections import (
    ACCEPTED_AT_ONCE,
    PatientProtocol,
    QuietAboutDescriptors,
    raise_descriptor_limit,
)
from vitral.studio.gate.hosts import allowed_hosts, is_loopback
from vitral.studio.gate.keys import Keys, new_key
from vitral.studio.opener import write_opener

WAITING = 128
"""Connections that wait to be accepted."""

PATIENCE = 8.0
"""Seconds after Ctrl-C in which everything has ended, or is left behind."""


@dataclass(frozen=True)
class Doors:
    """How a Studio that is about to run is reached. Beyond loopback it has keys; `once` is the
    address with a one-time key, which is of no use a second time."""

    address: str
    keys: Keys | None = None

    @property
    def once(self) -> str:
        return self.address + (f"?token={self.keys.one_time()}" if self.keys else "")

    def opener(self) -> str:
        """What a browser is handed: the address, or a file that only this user can read, and that
        leads to the address with a one-time key. So no list of processes has a key in it."""
        if self.keys is None:
            return self.address
        return write_opener(self.once).as_uri()


def serve(
    models: Sequence[str],
    host: str,
    port: int,
    announce: Callable[[Doors], None],
    settings: Sequence[object] = (),
    *,
    for_class: bool = False,
    base: str | None = None,
) -> None:
    """Serve until interrupted; `announce` is called with the doors once they can be opened.

    Beyond loopback Studio has a key, made for this run, and `for_class` one more with which
    nothing can be changed. `settings` are those of rooms,
    `base` that of an adapter among the models.
    Raises VitralError: port_taken, port_out_of_range, port_forbidden, host_unknown, and what
    create_app raises.
    """
    keys = None if is_loopback(host) else Keys(new_key(), new_key(2, 4) if for_class else None)
    raise_descriptor_limit()
    with bound_socket(host, port) as listener:
        hosts = allowed_hosts(host)
        app = create_app(models, keys, hosts, warm=True, settings=settings, base=base)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="on",
            loop="asyncio",
            http=PatientProtocol,
            ws="none",
            backlog=ACCEPTED_AT_ONCE,
            timeout_graceful_shutdown=2,
        )
        server = _Server(config)
        # Ctrl-C asks the server to end, from before the address is known: an exception that came
        # while the event loop is being made would leave the server's coroutine half begun.
        signal.signal(signal.SIGINT, server.handle_exit)
        listener.listen(WAITING)
        announce(Doors(address_of(host, listener.getsockname()[1]), keys))
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """Ends in its own time, two seconds at most, however often it is asked to: to be forced out of
    it would break off what is being closed, and say so on the terminal. Where something does not
    end by itself, a file system that does not answer, say, the process ends without it."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(QuietAboutDescriptors())
        await super().startup(sockets)
        for each in sockets or []:  # uvicorn's backlog is how many are accepted in one go
            each.listen(WAITING)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:
            last = threading.Timer(PATIENCE, os._exit, (0,))
            last.daemon = True
            last.start()
        self.should_exit = True


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket bound to host and port (port 0: any that is free)."""
    if not 0 <= port <= 65535:
        raise VitralError("port_out_of_range", port=str(port))
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise VitralError("host_unknown", host=host) from error
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise VitralError("port_taken", port=str(port)) from error
        if error.errno == errno.EACCES:
            raise VitralError("port_forbidden", port=str(port)) from error
        raise VitralError("host_unknown", host=host) from error
    return listener


def address_of(host: str, port: int) -> str:
    """The address to open. A server on every interface is shown at this machine's own address."""
    if host in {"0.0.0.0", "::"}:
        host = _own_address()
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/"


def _own_address() -> str:
    """The address from which this machine reaches others, or its name. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address reserved for documentation
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])
