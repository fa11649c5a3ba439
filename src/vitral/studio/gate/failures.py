"""Every failure becomes one body: a code, its values and a sentence for the reader.

The page shows `error.<code>` of the message catalogues in its own language; the sentence here,
in the language of Accept-Language, is for every other client. An unexpected exception says only
that it happened: the traceback goes to the terminal, never to the client.
"""

import html
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from vitral.errors import VitralError
from vitral.studio.gate.error_body import error_body, invalid_request
from vitral.studio.gate.language import accepted_language
from vitral.studio.gate.security_headers import SECURITY_HEADERS

STATUS = {
    "address_unknown": 404,
    "body_too_large": 413,
    "internal": 500,
    "method_not_allowed": 405,
    "model_unknown": 404,
    "not_found": 404,
    "page_not_built": 503,
    "request_forbidden": 403,
    "room_needs": 503,
    "studio_busy": 503,
    "studio_closing": 503,
    "text_not_utf8": 400,
    "text_over_bytes": 413,
    "token_needed": 403,
    "trace_gone": 404,
}
"""HTTP status by error key, for errors of no room. A key that is neither here nor in its room has
status 422: the request was understood but is not possible."""


def failure_response(
    error: VitralError, path: str, headers: Headers, statuses: Mapping[str, int] = STATUS
) -> Response:
    """The answer for `error`: JSON, or a small page if a browser opened the address.

    `path` and `headers` are those of the request.
    """
    status = statuses.get(error.key, 422)
    language = accepted_language(headers.get("accept-language"))
    text = error.text(language)
    if not path.startswith("/api/") and "text/html" in headers.get("accept", ""):
        return HTMLResponse(
            f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
            f"<title>Vitral</title><h1>Vitral</h1><p>{html.escape(text)}</p></html>",
            status,
        )
    return JSONResponse(
        error_body(error, language).model_dump(), status, {"Cache-Control": "no-store"}
    )


def register_failures(app: FastAPI, statuses: Mapping[str, int] | None = None) -> None:
    """Every exception that leaves a route of `app` is answered with an error body; `statuses` are
    those of the rooms, by error key."""
    app.state.statuses = {**STATUS, **(statuses or {})}
    app.add_exception_handler(VitralError, _vitral_error)
    app.add_exception_handler(RequestValidationError, _request_invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)


async def _vitral_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, VitralError)
    return _answer(request, error)


async def _request_invalid(request: Request, error: Exception) -> Response:
    """A request that does not match the schema."""
    assert isinstance(error, RequestValidationError)
    return _answer(request, invalid_request(error.errors()))


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
    """Starlette answers this outside every middleware, so the headers are added here."""
    response = _answer(request, VitralError("internal"))
    response.headers.update(SECURITY_HEADERS)
    return response


def _answer(request: Request, error: VitralError) -> Response:
    statuses: Mapping[str, int] = request.app.state.statuses
    return failure_response(error, request.url.path, request.headers, statuses)
