"""The published schema, completed: errors as Studio answers them, and what travels in streams and
blocks.

FastAPI publishes its own body for an invalid request. Studio answers every failure with an
`ErrorBody` (see gate/failures.py), on every route; so the schema is corrected here, once. The
lines of a stream, the data of an event and the header of a block are not part of a response that
OpenAPI describes; their models are published with the others, so that the front end's types can
be generated from one schema (web/generate_schema.py).
"""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from vitral.studio.gate.error_body import ErrorBody
from vitral.studio.traces.blocks import BlockHeader

_FASTAPI = ("HTTPValidationError", "ValidationError")
_ERROR = {
    "description": "What went wrong: a code, its values, and a sentence",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}},
}


def complete_schema(app: FastAPI, models: Sequence[type[BaseModel]]) -> None:
    """Make `app.openapi()` give every operation Studio's error body, and publish `models`."""
    generated = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = generated()
            for path in schema.get("paths", {}).values():
                for operation in path.values():
                    operation["responses"].pop("422", None)
                    operation["responses"]["default"] = _ERROR
            published = schema.setdefault("components", {}).setdefault("schemas", {})
            for name in _FASTAPI:
                published.pop(name, None)
            for name, each in _schemas([ErrorBody, BlockHeader, *models]).items():
                published.setdefault(name, each)
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


def _schemas(models: Sequence[type[BaseModel]]) -> dict[str, Any]:
    """The JSON schemas of the models and of the models in their fields, by name."""
    _, joined = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    found: dict[str, Any] = joined["$defs"]
    return found
