"""The host names that Studio accepts in the Host header.

An attacker's page can point its own host name at 127.0.0.1 (DNS rebinding) and would then share
Studio's origin. Such a request has the foreign name in its Host header, so Studio accepts only
known names. Ports do not matter here: rebinding needs a name.
"""

import ipaddress
import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class AllowedHosts:
    """Names (lower case, no port), and whether any literal IP address is accepted."""

    names: frozenset[str]
    any_address: bool = False

    def allows(self, host: str) -> bool:
        """Whether a Host header, such as "localhost:8321" or "[::1]", names this Studio."""
        name = host_name(host)
        return name in self.names or (self.any_address and _is_address(name))


LOOPBACK = AllowedHosts(frozenset({"localhost", "127.0.0.1", "::1"}))


def host_name(host: str) -> str:
    """The name of a Host header without its port and brackets, in lower case."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def is_loopback(host: str) -> bool:
    """Whether a server bound to `host` is reached from this machine only."""
    if host == "localhost":
        return True
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


def allowed_hosts(host: str) -> AllowedHosts:
    """The names that a server bound to `host` accepts.

    On loopback: the loopback names. Otherwise also the machine's own names and any literal
    address: a rebinding page has neither, and the token is required in addition.
    """
    bound = LOOPBACK.names | {host.lower()}
    if is_loopback(host):
        return AllowedHosts(bound)
    own = socket.gethostname().lower()
    names = bound | {own, f"{own}.local", socket.getfqdn().lower()}
    return AllowedHosts(names, any_address=True)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
