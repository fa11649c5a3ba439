"""How a trace shows itself: the floors that draw it, found by their names.

What draws a trace uses traces and stands above them. `Trace.plot`, `Trace.to_html` and
`Trace.show` only hand the trace on; this is the one place that looks up, and not before a trace
is shown.
"""

from importlib import import_module
from typing import Any


def figure(*args: Any, **kwargs: Any) -> Any:
    """`vitral.showing.plot.plot`: a trace as a matplotlib figure."""
    return import_module("vitral.showing.plot").plot(*args, **kwargs)


def page(*args: Any, **kwargs: Any) -> Any:
    """`vitral.showing.page.page`: a trace as one HTML file, written where there is a path."""
    return import_module("vitral.showing.page").page(*args, **kwargs)


def notebook() -> Any:
    """The module `vitral.notebook`, whose `view` is a trace's widget."""
    return import_module("vitral.notebook")
