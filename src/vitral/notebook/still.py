"""A still picture of what a widget shows, for a saved notebook that is not running.

HTML that every viewer of notebooks supports: the lines as an SVG image, and the numbers as a
table, for viewers that remove images.
"""

import base64
import html
from typing import TYPE_CHECKING, cast

import torch

from vitral.figures.colour import INKS, Scale, ramp
from vitral.messages import message, preferred_language

if TYPE_CHECKING:
    from vitral.notebook.widget import TraceWidget
    from vitral.tracing.token import Token

MOST_TOKENS = 40
"""Longer texts have no picture, their table suffices."""
WHOLE = 512
"""Still longer ones have a table of one token's weights, and none where no token is chosen: a
whole head would have to be computed for ten numbers."""
MOST_ROWS = 10
_ROW, _TOP, _LEFT, _BETWEEN, _RIGHT = 24, 10, 110, 220, 170
_FAINTEST, _FIRST = 0.01, 0.2


def still_html(shown: "TraceWidget") -> str:
    """The widget's head as HTML: at most about 20 kB, nothing in it is fetched."""
    language = shown.language or preferred_language()
    names, seen = _names(shown.answers.query_tokens), _names(shown.answers.key_tokens)
    model, layer, head = shown.trace.model, shown.layer, shown.head
    title = message("figure.title", language, model=model, layer=layer, head=head)
    parts = [f"<p>{html.escape(title)}</p>"]
    if max(len(names), len(seen)) <= MOST_TOKENS:
        drawn = base64.b64encode(_lines(shown, names, seen, language).encode()).decode()
        alt = html.escape(title, quote=True)
        parts.append(f'<img alt="{alt}" src="data:image/svg+xml;base64,{drawn}">')
    if shown.token is not None or len(names) <= WHOLE:
        parts.append(_table(shown, names, seen, language))
    parts.append(f"<p>{html.escape(message('notebook.still', language))}</p>")
    return "".join(parts)


def _links(shown: "TraceWidget", most: int) -> list[tuple[int, int, float]]:
    """The strongest weights of what is shown, as (query, key, weight), the strongest first."""
    weights = shown.weights
    rows = weights[None] if weights.dim() == 1 else weights
    values, where = torch.topk(rows.flatten(), min(most, rows.numel()))
    first = shown.token or 0
    width = rows.shape[1]
    return [
        (first + at // width, at % width, weight)
        for at, weight in zip(where.tolist(), values.tolist(), strict=True)
    ]


def _table(shown: "TraceWidget", names: list[str], seen: list[str], language: str) -> str:
    def say(key: str) -> str:
        return html.escape(message(f"figure.{key}", language))

    rows = "".join(
        f"<tr><td>{html.escape(names[query])}</td><td>{html.escape(seen[key])}</td>"
        f"<td>{_number(weight, 4, language)}</td></tr>"
        for query, key, weight in _links(shown, MOST_ROWS)
    )
    head = f"<tr><th>{say('looks')}</th><th>{say('seen')}</th><th>{say('weight')}</th></tr>"
    return f"<table>{head}{rows}</table>"


def _lines(shown: "TraceWidget", names: list[str], seen: list[str], language: str) -> str:
    """An SVG: queries on the left, keys on the right, the weights between them."""
    ink, size = INKS["light"], max(len(names), len(seen))
    links = [link for link in _links(shown, 6 * size) if link[2] >= _FAINTEST]
    greatest = max((weight for *_, weight in links), default=1.0)
    colours = ramp(cast(Scale, shown.scale), "light", shown.lifted)
    most = links[0][1] if links and shown.token is not None else None
    width, height = _LEFT + _BETWEEN + _RIGHT, 2 * _TOP + size * _ROW
    start, end, bend = _LEFT, _LEFT + _BETWEEN, _BETWEEN * 0.45
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="Georgia, serif" font-size="15">'
        f'<rect width="100%" height="100%" fill="{ink.ground}"/>'
    ]
    for query, key, weight in reversed(links):
        place = _FIRST + (1 - _FIRST) * weight / greatest
        red, green, blue = (round(255 * part) for part in colours[round(255 * place)])
        top, bottom = _middle(query), _middle(key)
        drawn.append(
            f'<path d="M{start} {top}C{start + bend:g} {top} {end - bend:g} {bottom} {end} '
            f'{bottom}" fill="none" stroke="rgb({red},{green},{blue})" '
            f'stroke-width="{0.6 + weight * 11:.1f}"/>'
        )
    row = shown.weights if shown.token is not None else None
    for index, name in enumerate(names):
        colour = ink.source if index == shown.token else ink.ink
        drawn.append(_word(start - 8, index, colour, name, at_end=True))
    for index, name in enumerate(seen):
        colour = ink.most if index == most else ink.ink
        drawn.append(_word(end + 8, index, colour, name))
        if row is not None:
            number = _number(float(row[index]), 2, language)
            drawn.append(_word(width - 12, index, ink.soft, number, at_end=True))
    return "".join([*drawn, "</svg>"])


def _word(x: int, index: int, colour: str, text: str, at_end: bool = False) -> str:
    short = html.escape(text if len(text) <= 12 else f"{text[:11]}…")
    anchor = ' text-anchor="end"' if at_end else ""
    return f'<text x="{x}" y="{_middle(index) + 5}" fill="{colour}"{anchor}>{short}</text>'


def _names(tokens: "list[Token]") -> list[str]:
    return [token.text.strip() or "␣" for token in tokens]


def _middle(index: int) -> int:
    """The height of a token's middle, in pixels."""
    return _TOP + index * _ROW + _ROW // 2


def _number(value: float, digits: int, language: str) -> str:
    """A weight as its language writes it."""
    text = f"{value:.{digits}f}"
    return text.replace(".", ",") if language == "es" else text
