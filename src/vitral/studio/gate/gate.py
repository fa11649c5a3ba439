"""Which requests Studio accepts: one gate in front of every route.

In this order, each request passes
1. the Host header: a name of this Studio (see hosts.py);
2. the token, if Studio can be reached from other machines: once in the address as `?token=…`,
   then in a cookie that scripts cannot read and other sites cannot send;
3. the origin: a request that a page of another origin makes is refused, so that no website can
   send requests to Studio from the user's browser;
4. the size of the body, counted while it arrives; bodies for the addresses in `streamed` go
   through as they arrive, and are counted there, against a limit of their own.
Every answer gets the headers of security_headers.py.
"""

import secrets
from collections.abc import Collection, Iterable
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vitral.errors import VitralError
from vitral.studio.gate.failures import failure_response
from vitral.studio.gate.hosts import AllowedHosts
from vitral.studio.gate.security_headers import SECURITY_HEADERS


class Gate:
    """ASGI middleware; `token` is None where Studio listens on loopback only."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: AllowedHosts,
        token: str | None,
        max_body_bytes: int,
        streamed: Collection[str] = (),
    ) -> None:
        """`streamed` are the paths of uploads: their routes limit the size while reading."""
        self.app = app
        self.hosts = hosts
        self.token = token
        self.max_body_bytes = max_body_bytes
        self.streamed = streamed

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
            entry = self._check_token(scope, headers)
            _check_origin(scope, headers)
            if entry is not None:
                await entry(scope, receive, send_with_headers)
                return
            if scope["method"] == "POST" and scope["path"] in self.streamed:
                await self.app(scope, receive, send_with_headers)
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

    def _check_token(self, scope: Scope, headers: Headers) -> Response | None:
        """None for an accepted request; an intermediate page for one with the token in its address.

        That page sets the cookie and opens the target. An HTTP redirect does not work: after a
        link from another site, browsers do not send a SameSite=Strict cookie through redirects.
        """
        if self.token is None:
            return None
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [value for name, value in query if name == "token"]
        name = f"vitral_token_{scope['server'][1]}"  # cookies do not distinguish ports
        if not given:
            cookie = cookie_parser(headers.get("cookie", "")).get(name, "")
            if not _same(cookie, self.token):
                raise VitralError("token_needed")
            return None
        if not all(_same(value, self.token) for value in given):
            raise VitralError("token_needed")
        if scope["method"] != "GET" or scope["path"].startswith("/api/"):
            return None
        rest = urlencode([pair for pair in query if pair[0] != "token"])
        return _entry_page("/" + (f"?{rest}" if rest else ""), name, self.token)

    async def _read_body(self, headers: Headers, receive: Receive) -> bytes | None:
        """The whole body, or None if the client disconnected.

        Raises VitralError("body_too_large") as soon as too much is announced or received.
        """
        announced = headers.get("content-length", "0")
        if not announced.isdecimal() or int(announced) > self.max_body_bytes:
            raise VitralError("body_too_large", limit=self.max_body_bytes)
        body = bytearray()
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


def _entry_page(target: str, cookie: str, token: str) -> Response:
    """Sets the cookie and opens `target`, the same view without the token.

    urlencode leaves no character with a meaning in HTML in `target`, except the ampersand.
    """
    address = target.replace("&", "&amp;")
    page = HTMLResponse(
        '<!doctype html><html><meta charset="utf-8"><title>Vitral</title>'
        f'<meta http-equiv="refresh" content="0; url={address}">'
        f'<a href="{address}">Vitral</a></html>',
        headers={"Cache-Control": "no-store"},
    )
    page.set_cookie(cookie, token, httponly=True, samesite="strict", path="/")
    return page


def _same(given: str, expected: str) -> bool:
    """Compared in constant time, so that the time taken reveals nothing of the token."""
    return secrets.compare_digest(given.encode(), expected.encode())


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that returns the body that was read, then the server's next messages."""
    messages: Iterable[Message] = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def replay() -> Message:
        for message in messages:
            return message
        return await receive()

    return replay
