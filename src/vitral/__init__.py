"""Vitral: see, touch, train and use attention-based models.

Every model leaves the same kind of trace, and everything works on traces:

    import vitral

    model = vitral.load("vitral-es-bert")
    trace = model.trace("El perro que persiguió al gato cruzó la calle.")
    trace.attention(layer=5, head=2)  # [queries, keys]

Names are imported when first used, so that `import vitral` is cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vitral.errors import VitralError as VitralError
    from vitral.explain import measures as measures
    from vitral.model import Model as Model
    from vitral.model import load as load
    from vitral.tracing import Trace as Trace
    from vitral.tracing import difference as difference
    from vitral.tracing import open_trace as open_trace

__version__ = "0.1.0"

_HOMES = {
    "Model": "vitral.model",
    "Trace": "vitral.tracing",
    "VitralError": "vitral.errors",
    "difference": "vitral.tracing",
    "load": "vitral.model",
    "measures": "vitral.explain",
    "open_trace": "vitral.tracing",
}

__all__ = [
    "Model",
    "Trace",
    "VitralError",
    "__version__",
    "difference",
    "load",
    "measures",
    "open_trace",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'vitral' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
