"""How a trace shows itself in a notebook.

The widget uses traces and stands on a floor above them, so it is found by its name, and not
before somebody shows a trace.
"""

from importlib import import_module
from typing import Any


def notebook() -> Any:
    """The module `vitral.notebook`."""
    return import_module("vitral.notebook")
