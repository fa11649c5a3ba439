"""schemathesis asks what the published schema allows, and what it does not: Studio keeps its word.

Every operation of `/api/openapi.json` is asked; none is left out but those named below.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis.strategies import booleans
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from vitral.studio.application import create_app
from vitral.studio.limits import Limits

ADDRESS = "http://127.0.0.1:8321"
EXAMPLES = 10
"""Requests to each operation."""

LEFT_OUT: dict[str, str] = {}
"""Operations that cannot be asked at random, by "METHOD path", and why."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def studio(bert_folder: Path, llama_folder: Path) -> Iterator[TestClient]:
    app = create_app([str(bert_folder), str(llama_folder)], limits=Limits(tokens=64))
    with TestClient(app, base_url=ADDRESS, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def known(studio: TestClient) -> dict[str, str]:
    """A trace that is there: most random ids are of none, which ends every question early."""
    body = {"model": "small-bert", "text": "El gato duerme."}
    return {"trace_id": studio.post("/api/traces", json=body).json()["id"]}


def operations() -> list[str]:
    """What the schema publishes, by "METHOD path"."""
    paths: dict[str, Any] = create_app([]).openapi()["paths"]
    return [f"{method.upper()} {path}" for path, each in paths.items() for method in each]


def test_what_is_left_out_exists() -> None:
    assert set(LEFT_OUT) <= set(operations())


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("label", [each for each in operations() if each not in LEFT_OUT])
def test_every_operation_keeps_its_word(
    studio: TestClient, known: dict[str, str], label: str, mode: GenerationMode
) -> None:
    """What it may be asked (positive) and what it may not (negative), where there is such."""
    method, path = label.split(" ", 1)
    schema = schemathesis.openapi.from_dict(studio.get("/api/openapi.json").json())
    operation = schema[path][method]
    if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query):
        pytest.skip("any path will do, and it takes nothing else: nothing can be wrong")
    statuses = set()

    @hypothesis.given(case=operation.as_strategy(generation_mode=mode), exists=booleans())
    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any, exists: bool) -> None:
        for name in known.keys() & (case.path_parameters or {}).keys():
            if exists:
                case.path_parameters[name] = known[name]
        asked = case.as_transport_kwargs(base_url=ADDRESS)
        asked.pop("cookies", None)  # no operation reads any
        if isinstance(asked.get("data"), bytes | str):  # a body that is no form
            asked["content"] = asked.pop("data")
        response = studio.request(**asked)
        statuses.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    ask()
    assert statuses
