"""The pages in front of Studio: the one that leads in, the one that asks for the key, and the one
that a teacher shows to a class."""

import html
from urllib.parse import quote

from starlette.responses import HTMLResponse, Response

from vitral.messages import message

ENTER = "/enter"
"""Where the form sends the key."""

CLASS = "/class"


def entry_page(target: str, cookie: str, key: str) -> Response:
    """Sets the cookie and goes on to `target`, the same view without the key.

    An HTTP redirect would not do: after a link from another site, browsers withhold a
    SameSite=Strict cookie through redirects.
    """
    address = html.escape(target)
    page = _page(
        f'<meta http-equiv="refresh" content="0; url={address}"><a href="{address}">Vitral</a>',
        200,
    )
    page.set_cookie(cookie, key, httponly=True, samesite="strict", path="/")
    return page


def key_page(language: str, reason: str) -> Response:
    """Asks for the key, and says why."""
    label, button = message("gate.key_label", language), message("gate.key_enter", language)
    return _page(
        f"<h1>Vitral</h1><p>{html.escape(reason)}</p>"
        f'<form method="post" action="{ENTER}"><p><label>{html.escape(label)} '
        '<input name="key" autocomplete="off" autocapitalize="none" spellcheck="false" '
        f'size="32" autofocus></label> <button>{html.escape(button)}</button></p></form>',
        403,
        language,
    )


def class_page(language: str, address: str, key: str) -> Response:
    """The address, the class key and both as a QR code, large enough for a projector."""
    import segno

    code = segno.make(f"{address}?token={key}", error="m")
    picture = f"data:image/svg+xml,{quote(code.svg_inline(border=2, light='white'))}"
    title, how = message("gate.class_title", language), message("gate.class_how", language)
    return _page(
        f"<h1>{html.escape(title)}</h1><p>{html.escape(how)}</p>"
        f'<p><img src="{picture}" width="420" height="420" alt="QR: {html.escape(address)}"></p>'
        f"<h1>{html.escape(address)}</h1><h1><code>{html.escape(key)}</code></h1>"
        '<p><a href="/">Vitral</a></p>',
        200,
        language,
    )


def _page(body: str, status: int, language: str = "en") -> HTMLResponse:
    return HTMLResponse(
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>Vitral</title>'
        '<meta name="viewport" content="width=device-width">'
        f"{body}</html>",
        status,
        headers={"Cache-Control": "no-store"},
    )
