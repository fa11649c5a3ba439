"""Errors in the published schema, as Studio answers them.

FastAPI publishes its own body for a request that is not valid. Studio answers every failure with
an `ErrorBody` (see failures.py), on every route; so the schema is corrected here, once.
"""

from typing import Any

from fastapi import FastAPI

from vitral.studio.gate.error_body import ErrorBody

_FASTAPI = ("HTTPValidationError", "ValidationError")
_ERROR = {
    "description": "What went wrong: a code, its values, and a sentence",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}},
}


def publish_errors(app: FastAPI) -> None:
    """Have `app.openapi()` give every operation Studio's own error body."""
    generated = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = generated()
            for path in schema.get("paths", {}).values():
                for operation in path.values():
                    operation["responses"].pop("422", None)
                    operation["responses"]["default"] = _ERROR
            parts = schema.setdefault("components", {}).setdefault("schemas", {})
            for name in _FASTAPI:
                parts.pop(name, None)
            parts.update(_schema_of_errors())
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


def _schema_of_errors() -> dict[str, Any]:
    schema = ErrorBody.model_json_schema(ref_template="#/components/schemas/{model}")
    inner: dict[str, Any] = schema.pop("$defs")
    return {**inner, "ErrorBody": schema}
