"""Whatever goes wrong becomes one body: a code, its values and a sentence for the reader.

The page shows `error.<code>` of the message catalogues in its own language; the sentence here,
in the language of Accept-Language, is for everyone else. What we did not foresee says only that
it happened: the traceback goes to the terminal, never to the client.
"""

import html

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from vitral.errors import VitralError
from vitral.studio.language import accepted_language
from vitral.studio.security_headers import SECURITY_HEADERS

STATUS = {
    "address_unknown": 404,
    "body_too_large": 413,
    "internal": 500,
    "method_not_allowed": 405,
    "model_unknown": 404,
    "not_found": 404,
    "page_not_built": 503,
    "picture_upload_too_large": 413,
    "request_forbidden": 403,
    "run_is_working": 409,
    "run_not_begun": 409,
    "run_not_resting": 409,
    "run_not_working": 409,
    "run_unknown": 404,
    "studio_busy": 503,
    "studio_closing": 503,
    "text_not_utf8": 400,
    "text_over_bytes": 413,
    "text_unknown": 404,
    "token_needed": 403,
    "trace_gone": 404,
    "trace_upload_too_large": 413,
    "upload_too_large": 413,
    "uploads_full": 413,
    "watched_step_gone": 404,
}
"""HTTP status by error key; every other key is 422, the request was understood but not possible."""


def failure_response(error: VitralError, path: str, headers: Headers) -> Response:
    """The answer for `error`: JSON, or a small page for a person who opened an address.

    `path` and `headers` are those of the request.
    """
    status = STATUS.get(error.key, 422)
    language = accepted_language(headers.get("accept-language"))
    text = error.text(language)
    if not path.startswith("/api/") and "text/html" in headers.get("accept", ""):
        return HTMLResponse(
            f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
            f"<title>Vitral</title><h1>Vitral</h1><p>{html.escape(text)}</p></html>",
            status,
        )
    return JSONResponse(
        {"error": error_detail(error, language)}, status, {"Cache-Control": "no-store"}
    )


def error_detail(error: VitralError, language: str | None = None) -> dict[str, object]:
    """Code, values and sentence of an error, as JSON can carry them; the sentence in English if
    no language is named."""
    values = {name: _plain(value) for name, value in error.values.items()}
    return {"code": error.key, "values": values, "message": error.text(language or "en")}


def register_failures(app: FastAPI) -> None:
    """Every exception that leaves a route of `app` is answered with an error body."""
    app.add_exception_handler(VitralError, _vitral_error)
    app.add_exception_handler(RequestValidationError, _request_invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)


async def _vitral_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, VitralError)
    return _answer(request, error)


async def _request_invalid(request: Request, error: Exception) -> Response:
    """The first field that is wrong, by its path, and what pydantic says of it."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    return _answer(request, VitralError("request_invalid", field=field, reason=first["msg"]))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    if isinstance(error.__cause__, UnicodeDecodeError):
        return _answer(request, VitralError("text_not_utf8", position=error.__cause__.start))
    if error.status_code == 404:
        return _answer(request, VitralError("not_found", path=path))
    if error.status_code == 405:
        return _answer(request, VitralError("method_not_allowed", method=request.method, path=path))
    reason = str(error.detail)
    response = _answer(request, VitralError("request_invalid", field="body", reason=reason))
    response.status_code = error.status_code
    return response


async def _unexpected(request: Request, error: Exception) -> Response:
    """Starlette answers this outside every middleware, so the headers are put on here."""
    response = _answer(request, VitralError("internal"))
    response.headers.update(SECURITY_HEADERS)
    return response


def _answer(request: Request, error: VitralError) -> Response:
    return failure_response(error, request.url.path, request.headers)


def _plain(value: object) -> object:
    """`value` as JSON can carry it."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    return str(value)
