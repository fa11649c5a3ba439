"""Studio as a process of its own, over a real socket on loopback."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from served_studio import served
from vitral.errors import VitralError
from vitral.studio import connections
from vitral.studio.application import create_app
from vitral.studio.connections import PatientProtocol
from vitral.studio.gate import gate
from vitral.studio.gate.keys import Keys
from vitral.studio.opener import forget
from vitral.studio.server import Doors, address_of, bound_socket
from vitral.studio.traces.blocks import decode_block

Started = tuple["subprocess.Popen[str]", str]


@pytest.fixture
def start(bert_folder: Path) -> Iterator[Callable[..., Started]]:
    """Starts `vitral studio` on a free port; gives the process and the address it prints."""
    processes: list[subprocess.Popen[str]] = []

    def run(*options: str, descriptors: int | None = None) -> Started:
        command = [sys.executable, "-m", "vitral", "studio", "--model", str(bert_folder)]
        if descriptors is not None:
            script = f'ulimit -n {descriptors}; exec "$@"'
            command = ["bash", "-c", script, "studio", *command]
        process = subprocess.Popen(
            [*command, "--port", "0", "--no-browser", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "VITRAL_LANGUAGE": "en", "OMP_NUM_THREADS": "1"},
        )
        processes.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        address = re.search(r"http://\S+", line)
        assert address is not None, line
        return process, address[0]

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def test_a_trace_over_a_real_connection_and_a_quiet_end(start: Callable[..., Started]) -> None:
    process, address = start()
    assert address.startswith("http://127.0.0.1:")
    with httpx2.Client(base_url=address, timeout=60) as client:
        assert "server" not in client.get("/api/studio").headers
        text = "El perro que persiguió al gato cruzó la calle."
        trace = client.post("/api/traces", json={"model": "small-bert", "text": text}).json()
        query = {"address": "layers.0.attention.pattern", "head": 3}
        block = client.get(f"/api/traces/{trace['id']}/view", params=query).content
        _, values = decode_block(block)
        assert values.shape == (len(trace["tokens"]), len(trace["tokens"]))
        refused = client.get("/api/studio", headers={"host": "evil.example"})
        assert refused.status_code == 403
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert errors == ""
    assert "Traceback" not in rest


def test_interrupted_while_a_model_opens(start: Callable[..., Started]) -> None:
    """Ctrl-C, twice, right after the start: it ends at once, and says nothing."""
    process, _ = start()
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert errors == ""
    assert process.returncode in {0, -signal.SIGINT}  # the second may find it already ending


def test_body_without_length_is_cut_off_while_it_arrives(start: Callable[..., Started]) -> None:
    """One client sends without end; it is answered, and Studio goes on serving."""
    _, address = start()
    port = int(address.rstrip("/").rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(
            b"POST /api/traces HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(65):
            connection.sendall(b"10000\r\n" + b"a" * 65536 + b"\r\n")
        assert b" 413 " in connection.recv(65536)
    with urllib.request.urlopen(address + "api/studio", timeout=30) as answer:
        assert answer.status == 200


def test_half_requests_and_few_descriptors(start: Callable[..., Started]) -> None:
    """600 clients that send half a request, where a process may have 200 descriptors: others are
    answered all the while, and nothing is said on the terminal."""
    process, address = start(descriptors=200)
    port = int(address.rstrip("/").rpartition(":")[2])
    with ExitStack() as stack:
        for number in range(600):
            connection = stack.enter_context(socket.socket())
            connection.settimeout(30)
            connection.connect(("127.0.0.1", port))
            with suppress(OSError):  # one that was ended to make room
                connection.sendall(b"GET /api/studio HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            if number % 100 == 99:
                with httpx2.Client(base_url=address, timeout=30) as client:
                    assert client.get("/api/studio").status_code == 200
        descriptors = Path(f"/proc/{process.pid}/fd")
        if descriptors.is_dir():
            assert len(list(descriptors.iterdir())) < 180
    with httpx2.Client(base_url=address, timeout=60) as client:
        body = {"model": "small-bert", "text": "El gato"}
        assert client.post("/api/traces", json=body).status_code == 200
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert errors == ""
    assert process.returncode == 0


def test_a_request_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing, half a head, half a body: each connection ends by itself."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(gate, "BODY_SECONDS", 0.2)
    head = b"POST /api/traces HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    beginnings = [b"", head, head + b"Content-Length: 9\r\n\r\n{"]
    with served(create_app(), http=PatientProtocol) as studio:
        port = int(studio.address.rpartition(":")[2])
        for beginning in beginnings:
            with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
                connection.sendall(beginning)
                received = b""
                with suppress(ConnectionResetError):
                    while data := connection.recv(65536):
                        received += data
                        if b"body_stalled" in received:
                            break
            assert (b" 408 " in received) == beginning.endswith(b"{")


def test_beyond_loopback_the_address_opens_once_and_the_key_is_typed(
    start: Callable[..., Started],
) -> None:
    process, address = start("--host", "0.0.0.0", "--class")
    assert process.stdout is not None
    base, _, once = address.partition("/?token=")
    assert len(once) >= 32
    lines = [process.stdout.readline().strip() for _ in range(4)]
    key, class_key = lines[1], lines[3]
    port = base.rpartition(":")[2]
    host = f"http://127.0.0.1:{port}"
    text = {"model": "small-bert", "text": "El gato"}
    with httpx2.Client(base_url=host, timeout=60) as client:
        assert client.get("/api/studio").status_code == 403
        assert client.get(f"/?token={once}").status_code == 200
        assert client.get("/api/studio").status_code == 200
        page = client.get("/class").text
        assert class_key in page
        assert "data:image/svg+xml" in page
        assert key not in page
    with httpx2.Client(base_url=host, timeout=60) as late:
        assert late.get(f"/?token={once}").status_code == 403
        asked = late.get("/", headers={"accept": "text/html"})
        assert 'name="key"' in asked.text
        assert late.post("/enter", data={"key": "no"}).status_code == 403
        sent = {"origin": "null"}
        assert late.post("/enter", data={"key": f" {key.upper()}"}, headers=sent).status_code == 200
        assert late.post("/api/traces", json=text).status_code == 200
    with httpx2.Client(base_url=host, timeout=60) as pupil:
        assert pupil.get(f"/?token={class_key}").status_code == 200
        assert pupil.get("/api/training").status_code == 200
        assert pupil.post("/api/traces", json=text).status_code == 200
        for method, path in (
            ("POST", "/api/training/runs"),
            ("POST", "/api/training/texts?name=a.txt"),
            ("POST", "/api/trace-files?name=a"),
            ("POST", "/api/training/runs/x/stop"),
            ("DELETE", "/api/training/runs/x"),
        ):
            answer = pupil.request(method, path)
            assert answer.status_code == 403, path
            assert answer.json()["error"]["code"] == "reading_only"
        assert class_key not in pupil.get("/class").text
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)


def test_a_browser_is_handed_a_file_that_only_its_user_can_read() -> None:
    keys = Keys("llave")
    opener = Doors("http://192.168.1.20:8321/", keys).opener()
    assert "llave" not in opener
    path = Path(urlsplit(opener).path)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    found = re.search(r"token=([\w-]+)", path.read_text(encoding="utf-8"))
    assert found is not None
    assert found[1] not in opener
    assert keys.enter(found[1]) == "llave"
    assert keys.enter(found[1]) is None  # once
    assert Doors("http://127.0.0.1:8321/").opener() == "http://127.0.0.1:8321/"
    forget(path.parent)
    assert not path.exists()


def test_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(VitralError) as caught:
            bound_socket("127.0.0.1", port)
    assert caught.value.key == "port_taken"
    assert str(port) in str(caught.value)


@pytest.mark.parametrize(
    ("host", "port", "key"),
    [
        ("127.0.0.1", 70000, "port_out_of_range"),
        ("127.0.0.1", -1, "port_out_of_range"),
        ("no-such-host.invalid", 0, "host_unknown"),
        ("203.0.113.7", 0, "host_unknown"),
        ("x" * 300, 0, "host_unknown"),
    ],
)
def test_places_where_nobody_can_listen(host: str, port: int, key: str) -> None:
    with pytest.raises(VitralError) as caught:
        bound_socket(host, port)
    assert caught.value.key == key


def test_addresses_as_they_are_shown() -> None:
    assert address_of("127.0.0.1", 8321) == "http://127.0.0.1:8321/"
    assert address_of("::1", 8321) == "http://[::1]:8321/"
    shown = address_of("0.0.0.0", 80)
    assert re.fullmatch(r"http://[\w.-]+:80/", shown)
    assert "0.0.0.0" not in shown
