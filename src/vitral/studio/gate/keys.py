"""The keys of a Studio that other machines reach: who shows one may come in, and for what.

The *key* opens everything. A *class key* lets a person look: trace, touch, let a model write, but
change nothing that others see (`Room.questions` has the addresses that may be asked). A *one-time*
key does what the key does, once: it is what goes into an address that a browser is handed, where
it stays in a list of processes, or in a history, without being of use.
"""

import secrets
from typing import Literal

Role = Literal["all", "reading"]

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that do not look alike."""


def new_key(groups: int = 5, letters: int = 5) -> str:
    """A random key that can be typed, such as "k3hx9-…": 5 groups of 5 have 123 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(letters)) for _ in range(groups))


class Keys:
    """What opens one Studio."""

    def __init__(self, key: str, reading: str | None = None) -> None:
        self.key = key
        self.reading = reading
        self._once: set[str] = set()

    def one_time(self) -> str:
        """A new one-time key."""
        key = secrets.token_urlsafe(32)
        self._once.add(key)
        return key

    def role(self, given: str) -> Role | None:
        """What a lasting key opens, None for a wrong one. As typed: capitals and spaces do not
        matter."""
        for key, role in ((self.key, "all"), (self.reading, "reading")):
            if key and (_same(given, key) or _same("".join(given.split()).lower(), key)):
                return role  # type: ignore[return-value]
        return None

    def enter(self, given: str) -> str | None:
        """The lasting key to keep for who brings `given`, a one-time key being used up; None for a
        wrong one."""
        found = next((key for key in self._once if _same(given, key)), None)
        if found is not None:
            self._once.remove(found)
            return self.key
        role = self.role(given)
        return None if role is None else self.key if role == "all" else self.reading


def _same(given: str, expected: str) -> bool:
    """Compared in constant time, so that the time taken reveals nothing of the key."""
    return secrets.compare_digest(given.encode(errors="replace"), expected.encode())
