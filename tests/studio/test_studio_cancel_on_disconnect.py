"""Whoever answers is told when the client goes; until an answer has begun, it ends there."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Message, Receive, Scope, Send

from vitral.studio.gate.cancel_on_disconnect import TICKET, CancelOnDisconnect, requester_of
from vitral.studio.work.requester import ANONYMOUS, Requester, requester

SCOPE: Scope = {"type": "http", "headers": [], "client": ("192.0.2.7", 4000)}
BODY: Message = {"type": "http.request", "body": b"a", "more_body": False}


class Client:
    """What a client sends, message by message, and what it is sent."""

    def __init__(self, *messages: Message) -> None:
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: list[Message] = []
        for message in messages:
            self._messages.put_nowait(message)

    def go(self) -> None:
        self._messages.put_nowait({"type": "http.disconnect"})

    async def receive(self) -> Message:
        return await self._messages.get()

    async def send(self, message: Message) -> None:
        self.sent.append(message)


def attend(
    app: Callable[[Scope, Receive, Send], Awaitable[None]],
    client: Client,
    then: Callable[[], Awaitable[None]] | None = None,
) -> None:
    async def run() -> None:
        task = asyncio.create_task(CancelOnDisconnect(app)(SCOPE, client.receive, client.send))
        if then is not None:
            await then()
        await asyncio.wait_for(task, 30)

    asyncio.run(run())


def test_it_ends_where_nobody_waits_for_the_answer() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    client = Client(BODY)

    async def then() -> None:
        await began.wait()
        client.go()

    attend(app, client, then)
    assert ended.is_set()
    assert client.sent == []


def test_an_answer_that_has_begun_ends_by_itself() -> None:
    """As a file's does, which has something to clear away; and it is told that nobody listens."""
    cleared = False

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal cleared
        assert await receive() == BODY
        await send({"type": "http.response.start", "status": 200, "headers": []})
        client.go()
        assert (await receive())["type"] == "http.disconnect"
        await asyncio.sleep(0.01)
        cleared = True

    client = Client(BODY)
    attend(app, client)
    assert cleared
    assert [message["type"] for message in client.sent] == ["http.response.start"]


def test_a_body_in_pieces_arrives_whole() -> None:
    pieces = [{"type": "http.request", "body": b"abc", "more_body": more} for more in (1, 1, 0)]
    read = b""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal read
        await asyncio.sleep(0.01)
        while True:
            message = await receive()
            read += message["body"]
            if not message["more_body"]:
                return

    attend(app, Client(*pieces))
    assert read == b"abcabcabc"


def test_what_fails_fails_outside_too() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("a mistake")

    with pytest.raises(ValueError, match="a mistake"):
        attend(app, Client(BODY))


def test_who_asks() -> None:
    def named(ticket: str) -> Requester:
        return requester_of({**SCOPE, "headers": [(b"vitral-ticket", ticket.encode())]})

    assert named("0123abcd-17") == Requester("0123abcd", "0123abcd-17")
    assert TICKET.fullmatch("f" * 64 + "-0")
    for wrong in ("", "0123abcd", "0123ABCD-1", "0123abc-1", "0123abcd-" + "1" * 10, "../x-1"):
        assert named(wrong) == Requester("192.0.2.7")
    assert requester.get() == ANONYMOUS
