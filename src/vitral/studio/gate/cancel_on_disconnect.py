"""Cancel the work of a request whose client has disconnected.

A browser that leaves a page, or replaces a request by another, closes its connection. An ASGI
application learns of it only by calling `receive` (`http.disconnect`), and an ordinary route does
not. So here one task answers the request, while another listens; the first is cancelled when the
client disconnects. Once an answer has begun it is not cancelled: a stream listens too, and a file
response has a temporary file to delete afterwards.

The request's `Vitral-Ticket` header ("NAME-NUMBER": the tab's random name, and the request's
number) identifies the client, and lets the page ask for its position in the queue.
"""

import asyncio
import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vitral.studio.work.requester import Requester, requester

TICKET = re.compile(r"([0-9a-f]{8,64})-[0-9]{1,9}")


class CancelOnDisconnect:
    """ASGI middleware; inside the Gate, so that it handles only accepted requests."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        first = [await receive()]
        arrived, gone = asyncio.Event(), asyncio.Event()
        if not first[0].get("more_body", False):
            arrived.set()
        begun = False

        async def receive_listening() -> Message:
            if not first and arrived.is_set():  # `listen` receives what comes next
                await gone.wait()
                return {"type": "http.disconnect"}
            message = first.pop() if first else await receive()
            if message["type"] == "http.disconnect":
                gone.set()
            elif not message.get("more_body", False):
                arrived.set()
            return message

        async def send_noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        async def listen() -> None:
            await arrived.wait()
            while (await receive())["type"] != "http.disconnect":
                pass
            gone.set()

        requester.set(requester_of(scope))
        answering = asyncio.create_task(_call(self.app, scope, receive_listening, send_noting))
        listening = asyncio.create_task(listen())
        try:
            await asyncio.wait({answering, listening}, return_when=asyncio.FIRST_COMPLETED)
            if gone.is_set() and not begun:
                answering.cancel()
                await asyncio.wait({answering})
            else:
                await answering
        finally:
            listening.cancel()
            answering.cancel()


async def _call(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


def requester_of(scope: Scope) -> Requester:
    """The client of a request: the tab named by its ticket or, without one, its address."""
    ticket = Headers(scope=scope).get("vitral-ticket", "")
    named = TICKET.fullmatch(ticket)
    if named is not None:
        return Requester(named[1], ticket)
    return Requester((scope.get("client") or ("",))[0])
