"""Running Studio: Vitral opens the socket, so that a port in use is one clear error."""

import errno
import secrets
import signal
import socket
from collections.abc import Callable, Sequence
from types import FrameType

import uvicorn

from vitral.errors import VitralError
from vitral.studio.application import create_app
from vitral.studio.gate.hosts import allowed_hosts, is_loopback


def serve(
    models: Sequence[str],
    host: str,
    port: int,
    announce: Callable[[str], None],
    settings: Sequence[object] = (),
) -> None:
    """Serve until interrupted; `announce` is called with the address once it can be opened.

    Beyond loopback the address carries a token, made for this run. `settings` are those of rooms.
    Raises VitralError: port_taken, port_out_of_range, port_forbidden, host_unknown, and what
    create_app raises.
    """
    token = None if is_loopback(host) else secrets.token_urlsafe(32)
    with bound_socket(host, port) as listener:
        app = create_app(models, token, allowed_hosts(host), warm=True, settings=settings)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="on",
            timeout_graceful_shutdown=2,
        )
        server = _Server(config)
        # Ctrl-C asks the server to end, from before the address is known: an exception that came
        # while the event loop is being made would leave the server's coroutine half begun.
        signal.signal(signal.SIGINT, server.handle_exit)
        listener.listen(128)
        announce(address_of(host, listener.getsockname()[1], token))
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """Shuts down in at most two seconds, however often it is interrupted: a forced exit would
    cancel what is being closed, and print tracebacks."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.should_exit = True


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket bound to host and port (port 0: any that is free)."""
    if not 0 <= port <= 65535:
        raise VitralError("port_out_of_range", port=port)
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
            raise VitralError("port_taken", port=port) from error
        if error.errno == errno.EACCES:
            raise VitralError("port_forbidden", port=port) from error
        raise VitralError("host_unknown", host=host) from error
    return listener


def address_of(host: str, port: int, token: str | None) -> str:
    """The address to open: for a server on every interface, this machine's own."""
    if host in {"0.0.0.0", "::"}:
        host = _own_address()
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/" + (f"?token={token}" if token else "")


def _own_address() -> str:
    """The address from which this machine reaches others, or its name. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address reserved for documentation
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])
