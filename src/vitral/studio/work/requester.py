"""Which client a request comes from, for the turns that clients take."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Requester:
    """A browser tab by its random name, or an address; and its request's ticket."""

    client: str = ""
    ticket: str | None = None


ANONYMOUS = Requester()

requester: ContextVar[Requester] = ContextVar("requester", default=ANONYMOUS)
"""The client of the request that is being answered in this context."""
