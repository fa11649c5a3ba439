"""How long a widget lives, and the trace with it: until it can no longer be seen.

ipywidgets keeps every widget that was ever made until it is closed. One that was not displayed is
kept here only by the code that made it; and a cell that is run again closes what it displayed
before, whose place on the page is gone.
"""

import sys
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vitral.notebook.widget import TraceWidget

Place = tuple[str, str]
"""A cell, and the execution of it."""

_displayed: dict[str, tuple[str, list["TraceWidget"]]] = {}


def let_go(widget: "TraceWidget") -> None:
    """Leave the widget, and those that it is made of, to the code that holds it: its line to the
    page does not hold it either."""
    for each in (widget, getattr(widget, "layout", None)):
        _kept().pop(getattr(each, "model_id", ""), None)
    heard = weakref.WeakMethod(widget._handle_msg)

    def hear(message: Any) -> None:
        if (found := heard()) is not None:
            found(message)

    if widget.comm is not None:
        widget.comm.on_msg(hear)


def displayed(widget: "TraceWidget") -> None:
    """The page shows the widget: it is kept until it is closed, or its cell runs again."""
    for each in (widget, getattr(widget, "layout", None)):
        if each is not None and each.model_id:
            _kept()[each.model_id] = each
    place = _running()
    if place is None:
        return
    cell, execution = place
    before, widgets = _displayed.get(cell, (execution, []))
    if before != execution:
        for each in widgets:
            if each is not widget:
                each.close()
        widgets = []
    _displayed[cell] = execution, [*(e for e in widgets if e is not widget), widget]


def closed(widget: "TraceWidget") -> None:
    """The widget can no longer be seen."""
    for cell, (execution, widgets) in list(_displayed.items()):
        left = [each for each in widgets if each is not widget]
        if left:
            _displayed[cell] = execution, left
        else:
            del _displayed[cell]


def _kept() -> dict[str, Any]:
    """ipywidgets' own table of all widgets."""
    found: dict[str, Any] = getattr(sys.modules.get("ipywidgets.widgets.widget"), "_instances", {})
    return found


def _running() -> Place | None:
    """The cell that is running in this kernel, and which execution of it; None elsewhere."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return None
    message = kernel.get_parent()
    cell = message.get("metadata", {}).get("cellId")
    execution = message.get("header", {}).get("msg_id")
    return (cell, execution) if cell and execution else None
