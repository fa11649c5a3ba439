"""docs/studio-api.md describes every operation of the published schema, and no other."""

import re
from pathlib import Path
from typing import Any

import pytest

from vitral.studio.application import create_app
from vitral.studio.gate.failures import STATUS
from vitral.studio.limits import Limits

PAGE = Path(__file__).parents[2] / "docs" / "studio-api.md"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return create_app([]).openapi()


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def plain(operation: str) -> str:
    """ "GET /api/traces/{trace_id}/file" as "GET /api/traces/{}/file": the page may say {id}."""
    return re.sub(r"\{\w+\}", "{}", operation)


def test_every_operation_has_a_section_and_every_section_an_operation(
    schema: dict[str, Any], page: str
) -> None:
    published = {
        plain(f"{method.upper()} {path}")
        for path, each in schema["paths"].items()
        for method in each
    }
    described = re.findall(r"^### `([A-Z]+ /api/[^`]+)`$", page, re.MULTILINE)
    assert len(described) == len(set(described))
    assert set(map(plain, described)) == published


def test_every_parameter_is_named(schema: dict[str, Any], page: str) -> None:
    found = re.findall(r"^### `([A-Z]+ /api/[^`]+)`\n(.*?)(?=^##)", page, re.M | re.S)
    sections = {plain(operation): text for operation, text in found}
    for path, each in schema["paths"].items():
        for method, operation in each.items():
            asked = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
            section = sections[plain(f"{method.upper()} {path}")]
            lacking = {name for name in asked if f"`{name}`" not in section}
            assert not lacking, f"{method} {path}"


def test_errors_are_one_body_everywhere(schema: dict[str, Any]) -> None:
    for each in schema["paths"].values():
        for operation in each.values():
            errors = operation["responses"]["default"]["content"]["application/json"]["schema"]
            assert errors == {"$ref": "#/components/schemas/ErrorBody"}
            assert "422" not in operation["responses"]
    assert {"ErrorBody", "ErrorDetail"} <= set(schema["components"]["schemas"])


def test_the_statuses_and_limits_are_told(page: str) -> None:
    errors = page[page.index("## Errors") :]
    assert all(str(status) in errors for status in {*STATUS.values(), 422})
    limits = Limits()
    assert f"at most {limits.waiting} jobs run or wait, {limits.waiting_each} of" in page
    assert (limits.workers, limits.quick_workers) == (2, 2)
    assert "two lanes of two threads" in page
