"""Which requests Studio accepts: one gate in front of every route.

In this order, each request passes
1. the Host header: a name of this Studio (see hosts.py);
2. the key, where Studio listens beyond this machine (see keys.py): given once in the address as
   `?token=…`, or typed into the page that asks for it, from then on in a cookie that scripts cannot
   read and other sites cannot send; who has the class key may ask, and change nothing;
3. the origin: a request that a page of another origin makes is refused, so that no website can
   send requests to Studio from the user's browser;
4. the size of the body, counted while it arrives; bodies for the addresses in `streamed` go
   through as they arrive, and are counted there, against a limit of their own.
Every answer gets the headers of security_headers.py.
"""

import asyncio
from collections.abc import Collection, Iterable
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vitral.errors import VitralError
from vitral.studio.gate.entry import CLASS, ENTER, class_page, entry_page, key_page
from vitral.studio.gate.failures import failure_response
from vitral.studio.gate.hosts import AllowedHosts
from vitral.studio.gate.keys import Keys
from vitral.studio.gate.language import accepted_language
from vitral.studio.gate.security_headers import SECURITY_HEADERS

BODY_SECONDS = 30.0
"""How long the next piece of a body may take."""

WRONG = 0.5
"""Seconds that a wrong key waits for its answer."""


class Gate:
    """ASGI middleware; `keys` is None where Studio listens on loopback only."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: AllowedHosts,
        keys: Keys | None,
        max_body_bytes: int,
        streamed: Collection[str] = (),
        questions: Collection[str] = (),
    ) -> None:
        """`streamed` are the paths of files that are sent: their routes count as they read.
        `questions` are those to which a class key may send a body."""
        self.app = app
        self.hosts = hosts
        self.keys = keys
        self.max_body_bytes = max_body_bytes
        self.streamed = streamed
        self.questions = questions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # Studio has no WebSocket
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        headers = Headers(scope=scope)
        try:
            self._check_host(headers)
            if scope["path"] != ENTER:  # its form's page has no referrer, and so no origin
                _check_origin(scope, headers)
            if self.keys is not None:
                entry = await self._check_key(self.keys, scope, headers, receive)
                if entry is not None:
                    await entry(scope, receive, send_with_headers)
                    return
            if scope["method"] == "POST" and scope["path"] in self.streamed:
                await self.app(scope, _in_time(receive), send_with_headers)
                return
            body = await self._read_body(headers, receive)
        except VitralError as error:
            refusal = failure_response(error, scope["path"], headers)
            await refusal(scope, receive, send_with_headers)
            return
        if body is not None:
            await self.app(scope, _replay(body, receive), send_with_headers)

    def _check_host(self, headers: Headers) -> None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self.hosts.allows(hosts[0]):
            raise VitralError("request_forbidden")

    async def _check_key(
        self, keys: Keys, scope: Scope, headers: Headers, receive: Receive
    ) -> Response | None:
        """None for a request that may pass; a page, for one that brings the key or lacks it.

        Raises VitralError: token_needed, reading_only.
        """
        path, asks = scope["path"], scope["method"] in {"GET", "HEAD"}
        name = f"vitral_token_{scope['server'][1]}"  # cookies do not distinguish ports
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [value for each, value in query if each == "token"]
        if path == ENTER and not asks:
            body = await self._read_body(headers, receive) or b""
            given = [value for each, value in parse_qsl(body.decode("latin-1")) if each == "key"]
            query = []
        elif not given:
            role = keys.role(cookie_parser(headers.get("cookie", "")).get(name, ""))
            if role is None:
                return _asking(scope, headers)
            if path == CLASS and role == "all" and keys.reading is not None:
                address = f"http://{headers['host']}/"
                return class_page(_language(headers), address, keys.reading)
            if role == "reading" and not asks and path not in self.questions:
                raise VitralError("reading_only")
            return None
        if not given or path.startswith("/api/"):
            if given and all(keys.role(value) == "all" for value in given):
                return None
            raise VitralError("token_needed")
        kept = [keys.enter(value) for value in given] if len(given) == 1 else [None]
        if kept[0] is None:
            await asyncio.sleep(WRONG)
            return _asking(scope, headers)
        rest = urlencode([pair for pair in query if pair[0] != "token"])
        return entry_page("/" + (f"?{rest}" if rest else ""), name, kept[0])

    async def _read_body(self, headers: Headers, receive: Receive) -> bytes | None:
        """The whole body, or None if the client disconnected.

        Raises VitralError: body_stalled, and body_too_large as soon as too much is announced or
        has come.
        """
        announced = headers.get("content-length", "0")
        if not announced.isdecimal() or int(announced) > self.max_body_bytes:
            raise VitralError("body_too_large", limit=self.max_body_bytes)
        body = bytearray()
        receive = _in_time(receive)
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > self.max_body_bytes:
                raise VitralError("body_too_large", limit=self.max_body_bytes)
            if not message.get("more_body", False):
                return bytes(body)


def _check_origin(scope: Scope, headers: Headers) -> None:
    """Refuse a request from a page of another origin.

    Browsers send Origin with every POST and with every cross-origin fetch; Sec-Fetch-Site also
    marks the rest (an <img> or <script> that points here). Links to the page itself are fine.
    """
    host = headers["host"].lower()
    same = {f"http://{host}", f"https://{host}"}
    if any(origin.lower() not in same for origin in headers.getlist("origin")):
        raise VitralError("request_forbidden")
    site = headers.get("sec-fetch-site", "none")
    if scope["path"].startswith("/api/") and site not in {"none", "same-origin"}:
        raise VitralError("request_forbidden")


def _asking(scope: Scope, headers: Headers) -> Response:
    """For a person, the page that has a field for the key. Raises VitralError("token_needed")."""
    error = VitralError("token_needed")
    if scope["path"].startswith("/api/") or "text/html" not in headers.get("accept", ""):
        raise error
    language = _language(headers)
    return key_page(language, error.text(language))


def _language(headers: Headers) -> str:
    return accepted_language(headers.get("accept-language"))


def _in_time(receive: Receive) -> Receive:
    """A `receive` that raises VitralError("body_stalled") where a client sends no more of its
    body."""
    arrived = False

    async def receive_in_time() -> Message:
        nonlocal arrived
        if arrived:
            return await receive()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                message = await receive()
        except TimeoutError:
            raise VitralError("body_stalled") from None
        arrived = not message.get("more_body", False)
        return message

    return receive_in_time


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that returns the body that was read, then the server's next messages."""
    messages: Iterable[Message] = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def replay() -> Message:
        for message in messages:
            return message
        return await receive()

    return replay
