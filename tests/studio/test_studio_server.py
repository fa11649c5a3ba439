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
from pathlib import Path

import httpx2
import pytest

from vitral.errors import VitralError
from vitral.studio.server import address_of, bound_socket
from vitral.studio.traces.blocks import decode_block

Started = tuple["subprocess.Popen[str]", str]


@pytest.fixture
def start(bert_folder: Path) -> Iterator[Callable[..., Started]]:
    """Starts `vitral studio` on a free port; gives the process and the address it prints."""
    processes: list[subprocess.Popen[str]] = []

    def run(*options: str) -> Started:
        command = [sys.executable, "-m", "vitral", "studio", "--model", str(bert_folder)]
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


def test_beyond_loopback_the_address_carries_a_token(start: Callable[..., Started]) -> None:
    process, address = start("--host", "0.0.0.0")
    base, _, token = address.partition("/?token=")
    assert len(token) >= 32
    port = base.rpartition(":")[2]
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        assert client.get("/api/studio").status_code == 403
        assert client.get(f"/?token={token}").status_code == 200
        assert client.get("/api/studio").status_code == 200
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=30)
    assert token not in rest + errors  # printed once


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
    assert address_of("127.0.0.1", 8321, None) == "http://127.0.0.1:8321/"
    assert address_of("::1", 8321, None) == "http://[::1]:8321/"
    shown = address_of("0.0.0.0", 80, "abc")
    assert re.fullmatch(r"http://[\w.-]+:80/\?token=abc", shown)
    assert "0.0.0.0" not in shown
