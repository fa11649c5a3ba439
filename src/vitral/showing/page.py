"""A trace as one HTML file: Studio's Explore room on this one text, without a Studio behind it.

The page is built with Vitral (web/page.html and web/src/page) with its script, style and fonts
inside; here the trace is written into it. It makes no requests: its content policy forbids every
connection. The text is data in it and never markup.
"""

import html
import json
import os
import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlencode

from vitral.errors import VitralError, check_range, is_whole
from vitral.messages import LANGUAGES, message, preferred_language
from vitral.messages.written_numbers import decimal
from vitral.showing.page_data import checked_records, page_data, size_of
from vitral.tracing.trace import Trace

MOST_MEGABYTES = 64.0
"""The default limit: a larger page opens slowly."""
LARGEST_LIMIT = 100_000
"""Megabytes that a limit can be raised to."""
VIEWS = ("lines", "map", "numbers")
THEMES = ("light", "dark")
_MARK = re.compile(r"<!--vitral:(\w+)-->")
_MOST_ROWS = 256


def page(
    trace: Trace,
    path: str | Path | None = None,
    *,
    part: str | None,
    layer: int | None,
    head: int | None,
    heads: Sequence[int] | None,
    overlay: bool,
    token: int | None,
    view: str | None,
    language: str | None,
    theme: str | None,
    most_megabytes: float,
) -> str:
    """See `Trace.to_html`."""
    part = trace.first_part if part is None else part
    records = checked_records(trace, part)
    _check_choice("view", view, VIEWS)
    _check_choice("language", language, LANGUAGES)
    _check_choice("theme", theme, THEMES)
    check_range("most_megabytes", most_megabytes, 0, LARGEST_LIMIT)
    tokens = trace.query_tokens(part)
    if token is not None and not (is_whole(token) and 0 <= token < len(tokens)):
        raise VitralError("figure_token", token=token, first=0, last=len(tokens))
    opens = next(iter(records)) if layer is None else layer
    for each in (head or 0, *(heads or ())):
        trace.attention(opens, each, part)  # says what is wrong with them
    size = size_of(records) / 1e6
    if size > most_megabytes:
        raise VitralError(
            "page_too_large",
            tokens=len(tokens),
            megabytes=float(f"{size:.3g}"),
            limit=most_megabytes,
        )
    several = ".".join(map(str, heads)) if heads else None
    asked = _asked(layer if head is None else opens, head, token, view, language, theme)
    asked |= {"heads": several, "overlay": "1" if overlay and several else None}
    data = page_data(trace, part, "", _version())
    data["opens"] = _address(asked, data["address"])
    speaks = language or preferred_language()
    filled = {
        "title": html.escape(_title(trace, data["text"])),
        "table": _table(trace, part, opens, head or 0, speaks),
        "trace": _harmless(json.dumps(data, ensure_ascii=False, separators=(",", ":"))),
    }
    pieces = _MARK.split(_template().replace('<html lang="en"', f'<html lang="{speaks}"', 1))
    # Between the marks' names, at odd places, stands the built page, as it is.
    content = "".join(filled[piece] if i % 2 else piece for i, piece in enumerate(pieces))
    if path is not None:
        write_page(Path(path), content)
    return content


def write_page(path: Path, content: str) -> None:
    """Write the whole page or nothing; an older file of that name gives way at once.

    Raises VitralError `file_unwritable`.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(content, encoding="utf-8", newline="\n")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise VitralError("file_unwritable", path=path, reason=error.strerror) from error


def _template() -> str:
    built = files("vitral") / "assets" / "page" / "page.html"
    try:
        return built.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise VitralError("page_not_built") from error


def _harmless(text: str) -> str:
    """JSON that no parser of HTML can mistake for the end of its element, or for markup."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _asked(
    layer: int | None,
    head: int | None,
    token: int | None,
    view: str | None,
    language: str | None,
    theme: str | None,
) -> dict[str, object]:
    """What the page opens with, by the names in Studio's addresses; None for the default."""
    one = layer is not None or head is not None
    return {
        "at": (layer or 0) if one else None,
        "head": (head or 0) if one else None,
        "token": token,
        "view": view,
        "lang": language,
        "theme": theme,
    }


def _address(asked: dict[str, object], pattern: str) -> str:
    """As Studio's addresses say it; `pattern` is the address of a layer's, the number left open."""
    said = {name: value for name, value in asked.items() if value is not None}
    if "at" in said:
        said["at"] = pattern.replace("{layer}", str(said["at"]))
    return f"?{urlencode(said)}" if said else ""


def _title(trace: Trace, text: str) -> str:
    words = " ".join(text.split())
    return (
        f"{words[:60].rstrip()}… · {trace.model}"
        if len(words) > 61
        else (f"{words} · {trace.model}")
    )


def _table(trace: Trace, part: str, layer: int, head: int, language: str) -> str:
    """For a browser without scripts: what each token attends to most, in the first head."""
    weights = trace.view(
        trace.part(part).address("attention.pattern", layer),
        head,
        rows=(0, min(_MOST_ROWS, len(trace.query_tokens(part)))),
        height=_MOST_ROWS,
        width=len(trace.key_tokens(part)),
    ).values
    most, where = weights.max(dim=-1)
    texts = [html.escape(token.text.strip() or "␣") for token in trace.query_tokens(part)]
    seen = [html.escape(token.text.strip() or "␣") for token in trace.key_tokens(part)]

    def say(key: str, **values: object) -> str:
        return html.escape(message(f"figure.{key}", language, **values))

    rows = "".join(
        f"<tr><td>{i}</td><td>{texts[i]}</td><td>{key}</td><td>{seen[key]}</td>"
        f"<td>{decimal(weight, 4, language)}</td></tr>"
        for i, (key, weight) in enumerate(zip(where.tolist(), most.tolist(), strict=True))
    )
    caption = say("title", model=trace.model, layer=layer, head=head)
    caption = " · ".join([caption, *map(html.escape, trace.reading.said(language))])
    rest = say("page_rest", shown=len(most), tokens=len(texts)) if len(most) < len(texts) else ""
    return (
        f"<p>{say('page_without_script')}</p><table><caption>{caption}</caption>"
        f"<tr><th></th><th>{say('looks')}</th><th></th><th>{say('seen')}</th>"
        f"<th>{say('weight')}</th></tr>{rows}</table><p>{rest}</p>"
    )


def _check_choice(option: str, value: str | None, known: tuple[str, ...]) -> None:
    if value is not None and value not in known:
        raise VitralError("page_option", option=option, value=value, known=", ".join(known))


def _version() -> str:
    try:
        return version("vitral")
    except PackageNotFoundError:
        return ""
