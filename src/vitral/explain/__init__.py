"""What a trace means: what heads do, where information goes, what adds up to an answer.

Measures take a `Trace` and give one number for each head; what needs the model's own maps takes
the model too. Names are imported when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vitral.explain.attention_received import received as received
    from vitral.explain.head_measures import HeadMeasures as HeadMeasures
    from vitral.explain.head_measures import measures as measures
    from vitral.explain.measure import Measure as Measure
    from vitral.explain.registry import MEASURES as MEASURES
    from vitral.explain.repetition import repeated_trace as repeated_trace

_HOMES = {
    "HeadMeasures": "head_measures",
    "MEASURES": "registry",
    "Measure": "measure",
    "measures": "head_measures",
    "received": "attention_received",
    "repeated_trace": "repetition",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"vitral.explain.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'vitral.explain' has no attribute {name!r}")
