"""Crafted trace files, sent to a Studio that has the model whose name they carry: each is refused
in one line, or every address of the trace answers."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import vitral
from tracing.fuzzed_files import fuzzed

TEXT = "La niña lee un libro."
HOW_MANY = 250


@pytest.fixture(scope="module")
def files(
    bert_folder: Path, llama_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[bytes]:
    folder = tmp_path_factory.mktemp("files")
    for number, model in enumerate((bert_folder, llama_folder)):
        vitral.load(str(model)).trace(TEXT).save(folder / str(number))
    return [(folder / str(number)).read_bytes() for number in range(2)]


def every_address(trace: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What the page may ask of a trace."""
    first = trace["parts"][0]
    layer = first["layers"][-1]
    cell = {"layer": layer, "head": 0}
    address = first["address"].replace("{layer}", str(layer))
    stream = address.rpartition(".attention")[0] + ".residual.post"
    found: list[tuple[str, dict[str, Any]]] = [
        ("", {}),
        ("/tokens", {}),
        ("/pooled", {}),
        ("/view", {"address": address, "head": 0}),
        ("/view", {"address": stream}),
        ("/view", {"address": "embed"}),
        ("/arithmetic", cell | {"query": 1, "key": 0}),
        ("/query-key", cell | {"query": 1, "keys": "0,1"}),
        ("/strongest", cell),
        ("/heads", {}),
        ("/path", {"token": 1}),
        ("/predictions", {"token": 1}),
        ("/file", {}),
        ("/page", {}),
    ]
    found += [("/graph", {"token": 1, "kind": kind}) for kind in ("attention", "rollout", "flow")]
    return found


def test_no_address_of_an_accepted_file_fails(client: TestClient, files: list[bytes]) -> None:
    choose, found = random.Random(37), Counter[str]()
    for _ in range(HOW_MANY):
        content = fuzzed(choose.choice(files), choose)
        answer = client.post("/api/trace-files", params={"name": "x.vitral"}, content=content)
        if answer.status_code != 200:
            error = answer.json()["error"]
            assert answer.status_code == 422, error
            assert "\n" not in error["message"]
            found[error["code"]] += 1
            continue
        found["accepted"] += 1
        trace = answer.json()
        for path, params in every_address(trace):
            view = client.get(f"/api/traces/{trace['id']}{path}", params=params)
            assert view.status_code < 500, (path, view.text)
    known = {"trace_damaged", "trace_version", "upload_not_trace", "no_attention", "accepted"}
    assert set(found) <= known | {"trace_not_drawn"}
    assert found["accepted"] > HOW_MANY / 20
