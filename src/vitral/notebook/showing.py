"""Showing a trace in a notebook: what `trace.show()` and a cell that ends in a trace do."""

import sys
from typing import TYPE_CHECKING, Any

from vitral.errors import VitralError

if TYPE_CHECKING:
    from vitral.notebook.widget import TraceWidget
    from vitral.tracing.trace import Trace

_NO_WIDGET = (
    "no_attention",
    "page_layers",
    "trace_not_drawn",
    "notebook_needs_anywidget",
)
"""Why a trace has no widget: it has nothing to show, or anywidget is missing."""


def view(
    trace: "Trace",
    *,
    part: str | None = None,
    layer: int | None = None,
    head: int | None = None,
    token: int | None = None,
    key: int | None = None,
    view: str = "lines",
    scale: str = "glass",
    lifted: bool = False,
    language: str | None = None,
    theme: str | None = None,
    height: int = 560,
) -> "TraceWidget":
    """The trace as a widget, for the last line of a cell or `display`.

    Options that are not given are chosen as in Explore: a content token, and the head in which
    words attend furthest. Everything but the trace and its `part` can be changed afterwards,
    from Python or in the picture; see `TraceWidget`.

    Raises VitralError `no_attention`, `part_unknown`, `page_layers`, `page_not_built`,
    `notebook_needs_anywidget`, and what `TraceWidget` raises.
    """
    from vitral.notebook.first_look import LARGEST, first_head, first_source
    from vitral.showing.page_data import checked_records

    try:
        from vitral.notebook.widget import TraceWidget
    except ImportError as error:
        if (error.name or "").split(".")[0] not in ("anywidget", "ipywidgets", "traitlets"):
            raise
        raise VitralError("notebook_needs_anywidget") from error
    part = trace.first_part if part is None else part
    layers = list(checked_records(trace, part))
    tokens = trace.query_tokens(part)
    source = first_source(tokens) if token is None else token
    if layer is None and head is None and 0 <= source < len(tokens):
        maps = trace.pooled(LARGEST, part)
        rules = [record.visibility for record in trace.layers(part).values()]
        is_causal = all(rule.is_causal for rule in rules) and not trace.part(part).is_cross
        layer, head = first_head(maps, tokens, trace.key_tokens(part), source, causal=is_causal)
    return TraceWidget(
        trace,
        part,
        layer=layers[0] if layer is None else layer,
        head=head or 0,
        token=source,
        key=key,
        view=view,
        scale=scale,
        lifted=lifted,
        language=language,
        theme=theme,
        height=height,
    )


def bundle(trace: "Trace") -> Any:
    """What a notebook shows for a cell that ends in the trace itself: its widget or, in a
    terminal and without a widget, the line of `repr`."""
    plain = {"text/plain": repr(trace)}
    if _in_terminal():
        return plain
    try:
        return view(trace)._repr_mimebundle_()
    except VitralError as error:
        if error.key not in _NO_WIDGET:
            raise
        return plain


def _in_terminal() -> bool:
    """Whether IPython runs without a notebook's kernel, and can show text only."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and not hasattr(shell, "kernel")
