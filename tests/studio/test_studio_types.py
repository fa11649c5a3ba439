"""The front end's types are the published schema's: web/src/protocol/schema.ts is current."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from vitral.studio.application import create_app

WEB = Path(__file__).parents[2] / "web"
SCHEMA = create_app([]).openapi()
COMPONENTS = SCHEMA["components"]["schemas"]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_schema", WEB / "generate_schema.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_types_are_current(generator: ModuleType) -> None:
    if not generator.GENERATOR.is_file():
        pytest.skip("needs the packages of web/: make test installs them")
    written = generator.WRITTEN.read_text(encoding="utf-8")
    assert written == generator.generated(), "run npm --prefix web run schema"


def test_every_component_has_a_type_and_every_type_a_component(generator: ModuleType) -> None:
    """The same without Node: a component that is new or gone is seen here as well."""
    written = generator.WRITTEN.read_text(encoding="utf-8")
    types = re.findall(r"^export type (\w+) = components", written, re.MULTILINE)
    assert sorted(types) == sorted(COMPONENTS)


@pytest.mark.parametrize("name", sorted(COMPONENTS))
def test_a_component_has_one_plain_name(name: str) -> None:
    """Two models of one name would be published by their modules' paths."""
    assert re.fullmatch(r"[A-Z][A-Za-z]+", name)
    assert not name.endswith(("Input", "Output"))


def test_nothing_published_is_of_any_kind() -> None:
    """An entry without a type would be `unknown` to the front end."""
    free = {
        f"{name}.{entry}"
        for name, component in COMPONENTS.items()
        for entry, schema in component.get("properties", {}).items()
        if not {"type", "$ref", "anyOf", "oneOf", "const", "enum"} & schema.keys()
    }
    assert free == set()


def test_every_reference_leads_to_a_component() -> None:
    """Routes name the models of streams and block headers; their rooms have to list them."""
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(SCHEMA)))
    assert named <= COMPONENTS.keys()
    assert {"NextTokenHeader", "WrittenToken", "CurveEvent", "ViewHeader"} <= named
