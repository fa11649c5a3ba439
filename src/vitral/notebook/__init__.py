"""A trace in a notebook: Studio's Explore room in the output of a cell.

    trace = vitral.load("vitral-es-bert").trace("El gato duerme.")
    shown = trace.show(layer=3, head=1)  # or vitral.notebook.view(trace, …)
    shown.head = 4                       # the picture follows
    shown.token                          # what the reader clicked on

The widget is made with anywidget, which JupyterLab, VS Code, Colab and marimo understand; it is
imported when a trace is first shown.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vitral.notebook.showing import bundle as bundle
    from vitral.notebook.showing import view as view
    from vitral.notebook.widget import TraceWidget as TraceWidget

__all__ = ["TraceWidget", "bundle", "view"]


def __getattr__(name: str) -> Any:
    if name in ("bundle", "view"):
        from vitral.notebook import showing

        return getattr(showing, name)
    if name == "TraceWidget":
        from vitral.notebook.widget import TraceWidget

        return TraceWidget
    raise AttributeError(f"module 'vitral.notebook' has no attribute {name!r}")
