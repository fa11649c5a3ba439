"""What a page cost before its first picture: bytes on the wire, and the moment of the picture.

Bytes are Chromium's own count (DevTools protocol, `encodedDataLength`): headers and body as they
came over the wire. The moment is taken in the page: a script looks, before every frame, whether
the picture stands in the document, and notes the time one frame later, when that frame has been
painted. Rasterizing a very large drawing goes on after that; it is not counted, for anybody.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

WATCH = """(() => {
  const standing = () => %s;
  const look = () => requestAnimationFrame(() => {
    if (!document.body || !standing()) return look();
    window.standingMoment = performance.now();
    requestAnimationFrame(() => { window.pictureMoment = performance.now(); });
  });
  look();
})()"""


def watch_for(standing: str) -> str:
    """A script for every new document: `window.standingMoment` is set before the first frame in
    which `standing` (a JavaScript expression) is true, `window.pictureMoment` when that frame is
    painted; milliseconds from the start of the navigation."""
    return WATCH % standing


class Traffic:
    """Requests of one page, from the events of the DevTools protocol's Network domain."""

    def __init__(self) -> None:
        self.started: dict[str, float] = {}
        """Request id → when it was made, in seconds of the epoch."""
        self.address: dict[str, str] = {}
        self.num_bytes: dict[str, int] = {}

    def listen(self, session: Any) -> "Traffic":
        """Take the events of a Playwright CDP session from now on."""
        session.on("Network.requestWillBeSent", self.request_sent)
        session.on("Network.loadingFinished", self.loading_finished)
        session.send("Network.enable")
        return self

    def request_sent(self, event: Mapping[str, Any]) -> None:
        key = event["requestId"]
        if redirect := event.get("redirectResponse"):  # the same id goes on with a new address
            self._add(key, redirect["encodedDataLength"])
        self.started.setdefault(key, event["wallTime"])
        self.address[key] = event["request"]["url"]

    def loading_finished(self, event: Mapping[str, Any]) -> None:
        self._add(event["requestId"], event["encodedDataLength"])

    def _add(self, key: str, num_bytes: float) -> None:
        self.num_bytes[key] = self.num_bytes.get(key, 0) + int(num_bytes)

    def bytes_before(self, moment: float) -> int:
        """Bytes of every response that was asked for before `moment` (seconds of the epoch),
        whole even where its end came later: never less than what had come by then."""
        return sum(self.by_kind(moment).values())

    def by_kind(self, moment: float = float("inf")) -> dict[str, int]:
        """The same bytes by what they are: page, script, style, font, trace, pooled, view …"""
        kinds: dict[str, int] = {}
        for key, started in self.started.items():
            if started < moment and self.num_bytes.get(key):
                kind = kind_of(self.address[key])
                kinds[kind] = kinds.get(kind, 0) + self.num_bytes[key]
        return dict(sorted(kinds.items()))


def kind_of(address: str) -> str:
    """What an address of Studio's gives, in a word."""
    path = urlsplit(address).path
    name = path.rsplit("/", 1)[-1]
    if path.startswith("/api/"):
        return "queue" if path.startswith("/api/queue/") else {"traces": "trace"}.get(name, name)
    endings = {"js": "script", "css": "style", "woff2": "font", "svg": "image", "png": "image"}
    return endings.get(name.rpartition(".")[2], "page")
