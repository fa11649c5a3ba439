"""How a trace is shown: as a figure for print, as a page that works offline, in a notebook.

What draws a trace uses traces, and stands above them: `vitral.showing`, `vitral.notebook`. The
methods of `Shown`, from which `Trace` inherits, pass the trace on. This is the one place that
imports from above, by name, and only when a trace is shown.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vitral.figures import Kind
    from vitral.figures.colour import Scale
    from vitral.tracing.attention.visibility import Range
    from vitral.tracing.view import Reduction


class Shown:
    """What shows a trace; the base of `vitral.tracing.Trace`."""

    def plot(
        self,
        kind: "Kind" = "heat",
        *,
        layer: int | None = None,
        head: int | None = None,
        part: str | None = None,
        rows: "Range | None" = None,
        columns: "Range | None" = None,
        token: int | None = None,
        reduction: "Reduction | None" = None,
        ceiling: float | None = None,
        shared: bool | None = None,
        scale: "Scale" = "glass",
        lifted: bool = False,
        dark: bool = False,
        width: str | float = "column",
        title: str | None = None,
        language: str | None = None,
    ) -> "Figure":
        """A matplotlib figure fit for print; `.savefig("head.pdf")` writes it (PNG, SVG, PDF).

        `kind` is "heat" (one head as a map), "lines" (two columns of tokens; `token` draws what
        one of them attends to) or "grid" (all heads). Layer and head: the first by default;
        `rows` and `columns` (first, one past the last) choose a part. A text longer than a figure
        can show is drawn in blocks of `reduction` (maps) or groups (lines), and the figure says so.
        `ceiling` is the weight of the strongest colour, `shared` gives all heads of a grid the
        same scale. `width` is "column" (85 mm), "page", "slide", or millimetres. Vitral draws
        without pyplot, so matplotlib's backend and settings stay as they are.

        Raises VitralError `plot_needs_matplotlib`, `figure_kind`, `figure_option`, and those of
        `view` and `vitral.figures`.
        """
        drawn: Figure = import_module("vitral.showing.plot").plot(
            self,
            kind,
            part=part,
            title=title,
            language=language,
            look={"scale": scale, "lifted": lifted, "dark": dark, "width": width},
            layer=layer,
            head=head,
            rows=rows,
            columns=columns,
            token=token,
            reduction=reduction,
            ceiling=ceiling,
            shared=shared,
        )
        return drawn

    def to_html(
        self,
        path: str | Path | None = None,
        *,
        part: str | None = None,
        layer: int | None = None,
        head: int | None = None,
        heads: Sequence[int] | None = None,
        overlay: bool = False,
        token: int | None = None,
        view: str | None = None,
        language: str | None = None,
        theme: str | None = None,
        most_megabytes: float = 64.0,
    ) -> str:
        """One HTML page with this trace in it, which needs no network and no server; also
        written to `path`, if one is given.

        The page shows every head as lines, as a map and as numbers; the numbers are those of
        `attention`. It opens at `layer`, `head`, `token` and `view` ("lines", "map", "numbers"),
        with the mean of several `heads`, or with these one over another (`overlay`).
        `language` and `theme` are by default those of the reader's browser. The page contains
        queries and keys, or the weights themselves if these are smaller, so its size grows
        linearly with the text's length.

        Raises VitralError `page_too_large` if its size exceeds `most_megabytes`;
        `page_layers`,
        `page_option`, `page_not_built`, `file_unwritable`, and those of `attention`.
        """
        content: str = import_module("vitral.showing.page").page(
            self,
            path,
            part=part,
            layer=layer,
            head=head,
            heads=heads,
            overlay=overlay,
            token=token,
            view=view,
            language=language,
            theme=theme,
            most_megabytes=most_megabytes,
        )
        return content

    def show(self, **options: Any) -> Any:
        """The trace in a notebook: every head as lines, map, numbers, query and keys, and
        arithmetic. Returns a `vitral.notebook.TraceWidget`; its layer, head, token and view
        follow the picture, and the picture follows them. Options and errors:
        `vitral.notebook.view`.

        A cell whose last expression is a trace shows the same.
        """
        return _notebook().view(self, **options)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return _notebook().bundle(self)


def _notebook() -> Any:
    return import_module("vitral.notebook")
