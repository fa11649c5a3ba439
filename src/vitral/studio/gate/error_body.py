"""The body of every answer that is not a success, over HTTP and in a notebook alike."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from vitral.errors import VitralError


class ErrorDetail(BaseModel):
    """`code` and `values` fill the entry `error.<code>` of the message catalogues."""

    code: str
    values: dict[str, Any]
    message: str


class ErrorBody(BaseModel):
    """An error: its code, its values, and a sentence."""

    error: ErrorDetail


def error_body(error: VitralError, language: str | None = None) -> ErrorBody:
    """The body for an error, with values that JSON can carry; its sentence is in English if no
    language is named."""
    values = {name: _plain(value) for name, value in error.values.items()}
    detail = ErrorDetail(code=error.key, values=values, message=error.text(language or "en"))
    return ErrorBody(error=detail)


def invalid_request(mistakes: Sequence[Any]) -> VitralError:
    """`request_invalid` for the first of Pydantic's errors: the field's path, and the reason."""
    first = mistakes[0]
    field = ".".join(str(part) for part in first["loc"])
    return VitralError("request_invalid", field=field, reason=first["msg"])


def _plain(value: object) -> object:
    """`value` as a type that JSON supports."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    return str(value)
