"""Questions that make sense for texts only: words, a vocabulary, an order along a line."""

from vitral.errors import VitralError
from vitral.surfaces.picture import PictureSurface
from vitral.tracing.trace import Trace


def is_of_picture(trace: Trace) -> bool:
    """Whether a trace's tokens are parts of a picture, whose neighbours also stand above."""
    return isinstance(trace.surface, PictureSurface)


def check_of_text(trace: Trace) -> None:
    """Raises VitralError `picture_needs_text` for the trace of a picture."""
    if is_of_picture(trace):
        raise VitralError("picture_needs_text", model=trace.model)
