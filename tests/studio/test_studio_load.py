"""Studio under load, over real connections: nobody is held up, and who leaves frees a place."""

import asyncio
import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.routing import APIRoute

from served_studio import Served, served, until
from vitral.stopping import Stopped, check_stop
from vitral.studio.application import create_app
from vitral.studio.limits import Limits

SEED = "El perro que persiguió al gato cruzó la calle."
LIMITS = Limits(workers=2, waiting=12, waiting_each=4)


@dataclass
class Running(Served):
    """A Studio served in a thread of this process."""

    def client(self, number: int | None = None) -> httpx2.AsyncClient:
        """A client, or the tab of this number: one that says its name, as the page does."""
        headers = {} if number is None else {"vitral-ticket": f"{number:08x}-1"}
        # verify=False: nothing is encrypted here, and certificates take their time to be read.
        return httpx2.AsyncClient(base_url=self.address, timeout=120, headers=headers, verify=False)


@pytest.fixture(scope="module")
def long_folder(llama_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small Llama with a context of 4096: rotary positions have no weights."""
    folder = shutil.copytree(llama_folder, tmp_path_factory.mktemp("models") / "long-llama")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["max_position_embeddings"] = 4096
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def longest_text(long_folder: Path) -> str:
    """As many tokens as Studio takes."""
    import vitral

    model = vitral.load(str(long_folder))
    text = " ".join([SEED] * 400)
    text = text[: model.tokens(text)[4095].end]
    assert len(model.tokens(text)) == 4096
    return text


@pytest.fixture(scope="module")
def studio(bert_folder: Path, llama_folder: Path, long_folder: Path) -> Iterator[Running]:
    folders = [str(folder) for folder in (bert_folder, llama_folder, long_folder)]
    with served(create_app(folders, limits=LIMITS)) as studio:
        yield Running(studio.address, studio.session)


async def look(client: httpx2.AsyncClient, model: str, text: str) -> dict[str, Any]:
    """All that the page asks for before its first picture; gives the trace."""
    answer = await client.post("/api/traces", json={"model": model, "text": text})
    assert answer.status_code == 200, answer.text
    trace: dict[str, Any] = answer.json()
    view = {"address": "layers.1.attention.pattern", "head": 1, "rows": "0:4"}
    for part, query in [("pooled", {}), ("view", view)]:
        found = await client.get(f"/api/traces/{trace['id']}/{part}", params=query)
        assert found.status_code == 200
    return trace


def test_ten_clients_and_one_asks_for_the_most(studio: Running, longest_text: str) -> None:
    """The nine have their pictures before the one: it holds up nobody."""
    done: list[int] = []

    async def one(number: int, model: str, text: str) -> dict[str, Any]:
        async with studio.client(number) as client:
            trace = await look(client, model, text)
        done.append(number)
        return trace

    async def all_of_them() -> list[dict[str, Any]]:
        long = asyncio.create_task(one(9, "long-llama", longest_text))
        await asyncio.to_thread(until, lambda: studio.session.workshop.num_pending == 1)
        models = ["small-bert", "small-llama"]
        short = [one(i, models[i % 2], f"El gato {i} duerme.") for i in range(9)]
        return await asyncio.gather(long, *short)

    traces = asyncio.run(all_of_them())
    assert len(traces[0]["tokens"]) == 4096
    assert done[-1] == 9
    assert sorted(done) == list(range(10))
    assert studio.session.workshop.num_pending == 0


def test_views_are_cut_while_their_own_model_is_busy(studio: Running) -> None:
    async def asked() -> None:
        async with studio.client() as client:
            await look(client, "small-bert", SEED)
            with studio.session.catalog.borrow("small-bert"):
                other = asyncio.create_task(look(client, "small-bert", "El gato."))
                await asyncio.to_thread(until, lambda: studio.session.workshop.num_pending == 1)
                await look(client, "small-bert", SEED)  # from memory, and its views
                assert not other.done()
            await other

    asyncio.run(asked())


def test_the_place_in_the_queue_is_told(studio: Running) -> None:
    tickets = [f"{client:08x}-1" for client in range(1, 4)]

    async def post(ticket: str, text: str) -> int:
        async with studio.client() as client:
            body = {"model": "small-bert", "text": text}
            answer = await client.post("/api/traces", json=body, headers={"vitral-ticket": ticket})
            return answer.status_code

    async def places() -> list[int | None]:
        async with studio.client() as client:
            answers = [await client.get(f"/api/queue/{ticket}") for ticket in tickets]
            return [answer.json()["before"] for answer in answers]

    async def asked() -> None:
        assert await places() == [None, None, None]
        with studio.session.catalog.borrow("small-bert"):
            tasks = []
            for number, ticket in enumerate(tickets):
                tasks.append(asyncio.create_task(post(ticket, f"La niña {number} lee.")))
                pending = number + 1
                await asyncio.to_thread(
                    until, lambda n=pending: studio.session.workshop.num_pending == n
                )
            # The first has its thread and waits for the model that this test holds.
            assert await places() == [0, 1, 2]
            tasks[1].cancel()
            await asyncio.to_thread(until, lambda: studio.session.workshop.num_pending == 2)
            assert await places() == [0, None, 1]
        assert await asyncio.gather(tasks[0], tasks[2]) == [200, 200]
        assert await places() == [None, None, None]

    asyncio.run(asked())


def test_a_client_with_many_requests_starves_nobody(studio: Running) -> None:
    """Its fifth is refused, and another client's only one comes second."""
    done: list[str] = []

    async def post(name: str, ticket: str) -> int:
        async with studio.client() as client:
            body = {"model": "small-bert", "text": f"La calle {name}."}
            answer = await client.post("/api/traces", json=body, headers={"vitral-ticket": ticket})
        done.append(name)
        return answer.status_code

    async def asked() -> None:
        with studio.session.catalog.borrow("small-bert"):
            tasks = []
            for number in range(4):
                tasks.append(asyncio.create_task(post(f"many {number}", f"aaaaaaaa-{number}")))
                await asyncio.to_thread(
                    until, lambda n=number: studio.session.workshop.num_pending == n + 1
                )
            assert await post("many 4", "aaaaaaaa-4") == 503
            tasks.append(asyncio.create_task(post("one", "bbbbbbbb-0")))
            await asyncio.to_thread(until, lambda: studio.session.workshop.num_pending == 5)
            assert await asyncio.to_thread(studio.session.workshop.num_before, "bbbbbbbb-0") == 2
        assert await asyncio.gather(*tasks) == [200] * 5

    asyncio.run(asked())
    assert done[0] == "many 4"
    assert done.index("one") < done.index("many 2") < done.index("many 3")


def test_a_text_that_everyone_has_left_is_stopped(studio: Running, longest_text: str) -> None:
    """Two ask for the same: the first to leave changes nothing, the second ends it."""
    text = longest_text[:-40]
    pending = studio.session.workshop

    async def post(client: httpx2.AsyncClient) -> None:
        await client.post("/api/traces", json={"model": "long-llama", "text": text})

    async def asked() -> None:
        async with studio.client() as first, studio.client() as second:
            with studio.session.catalog.borrow("long-llama"):
                tasks = [asyncio.create_task(post(client)) for client in (first, second)]
                await asyncio.to_thread(until, lambda: pending.num_pending == 1)
                (job,) = pending._shared.values()
                await asyncio.to_thread(until, lambda: job.num_waiting == 2)
                tasks[0].cancel()
                await asyncio.to_thread(until, lambda: job.num_waiting == 1)
                assert not job.stop.asked
                tasks[1].cancel()
                await asyncio.to_thread(until, lambda: job.stop.asked)
            with pytest.raises(Stopped):
                await asyncio.to_thread(job.future.result, 30)
            assert pending.num_pending == 0
            # Asked for again, it is not the stopped one that answers.
            trace = await look(first, "long-llama", text)
            assert len(trace["tokens"]) > 4000

    asyncio.run(asked())


def test_running_work_ends_when_its_client_hangs_up(studio: Running) -> None:
    """A plain socket that closes, and work that others wrote with `workshop.run`."""
    running, ended = threading.Event(), threading.Event()

    def endless() -> None:
        running.set()
        try:
            while True:
                time.sleep(0.01)
                check_stop()
        finally:
            ended.set()

    async def route() -> None:
        await studio.session.workshop.run(endless)

    app = create_app([], limits=LIMITS)
    app.router.routes.insert(0, APIRoute("/api/endless", route))
    with served(app) as own:
        host, port = own.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"GET /api/endless HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert running.wait(30)
        assert ended.wait(30)


def test_memory_is_bounded(studio: Running) -> None:
    """Far more requests than there is room for: what is kept and what waits stays in bounds."""
    session = studio.session
    session.store.max_traces, kept = 5, session.store.max_traces
    most = 0

    async def post(client: httpx2.AsyncClient, number: int) -> int:
        nonlocal most
        body = {"model": "small-llama", "text": f"El pingüino {number}."}
        headers = {"vitral-ticket": f"{number:08x}-0"}
        answer = await client.post("/api/traces", json=body, headers=headers)
        most = max(most, session.workshop.num_pending)
        if answer.status_code == 503:
            assert answer.json()["error"]["code"] == "studio_busy"
        return answer.status_code

    async def asked() -> list[int]:
        async with studio.client() as client:
            return await asyncio.gather(*(post(client, number) for number in range(60)))

    statuses = asyncio.run(asked())
    session.store.max_traces = kept
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= LIMITS.waiting
    assert most <= LIMITS.waiting
    assert len(session.store) <= 5
    assert session.workshop._tickets == {}
    assert session.workshop._shared == {}
