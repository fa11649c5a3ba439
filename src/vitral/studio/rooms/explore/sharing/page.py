"""A trace as one HTML file: what `Trace.to_html` writes, within Studio's bound."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitral.studio.traces import schemas

if TYPE_CHECKING:
    from vitral.tracing import Trace


@dataclass(frozen=True)
class PageRequest:
    """The part on the page, and the view that it opens with; None for the default."""

    part: str | None
    layer: int | None
    head: int | None
    heads: list[int] | None
    overlay: bool
    token: int | None
    view: str | None
    language: str
    theme: str | None


def page_bytes(trace: "Trace", asked: PageRequest, most_megabytes: float) -> bytes:
    """The page, in UTF-8. Raises VitralError `page_too_large`, and what `Trace.to_html` does."""
    return trace.to_html(
        part=asked.part,
        layer=asked.layer,
        head=asked.head,
        heads=asked.heads,
        overlay=asked.overlay,
        token=asked.token,
        view=asked.view,
        language=asked.language,
        theme=asked.theme,
        most_megabytes=most_megabytes,
    ).encode()


def page_name(summary: schemas.Trace) -> str:
    """The file's name: letters, digits, and characters that every file system allows."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", summary.model).strip("-.")
    return f"{name or 'trace'}-{summary.id[:8]}.html"
