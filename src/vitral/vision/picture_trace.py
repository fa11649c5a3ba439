"""A picture's trace: what a model that reads pictures computes, each token at its patch.

trace = vitral.load("path/to/a/ViT").trace("foto.png")
trace.tokens[1]                     # Token(1, "0,0", place=Patch(row=0, column=0, …))
places = [token.place for token in trace.tokens]
trace.surface.paint(places, trace.attention(5, 2)[0])   # [rows, columns], what [CLS] attends to
"""

import logging
from dataclasses import replace
from typing import Any

from torch import nn

from vitral.errors import VitralError
from vitral.messages import message
from vitral.surfaces.picture import PictureSurface
from vitral.tracing.memory.forecast import budget
from vitral.tracing.memory.store import Store
from vitral.tracing.recording.forward_pass import record
from vitral.tracing.recording.reading import bare_tokens
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace
from vitral.vision.patch_layout import PatchLayout, patch_layout
from vitral.vision.picture_file import Picture, read_picture
from vitral.vision.picture_tokens import picture_tokens
from vitral.vision.processor import pixels_for, see

NO_PLACES = "no_places"


def trace_picture(
    module: nn.Module,
    processor: Any,
    source: Any,
    *,
    model: str,
    memory: int | str | None = None,
) -> Trace:
    """The trace of a picture, as `Model.trace` gives it; `source` as in `read_picture`, or a
    `Picture` that has been read.

    Where the tokens are not one for each patch, from the first layer to the last, they have no
    places, and the surface says so. Notes are also said through Python's logging ("vitral").
    Raises VitralError `processor_missing`, `picture_size_unfit`, and what `read_picture`, `see`
    and `record` raise.
    """
    if processor is None:
        raise VitralError("processor_missing", model=model)
    picture = source if isinstance(source, Picture) else read_picture(source)
    seen = see(processor, picture, model)
    pixels = pixels_for(module, seen.pixels)
    try:
        layout = patch_layout(module, pixels)
        recording = record(module, (), {"pixel_values": pixels}, store=Store(budget(memory)))
    except (ValueError, RuntimeError) as error:  # models check the size, each in its own words
        reason = " ".join(str(error).split())[:300]
        raise VitralError(
            "picture_size_unfit", model=model, width=seen.width, height=seen.height, reason=reason
        ) from error
    num_tokens = recording.num_tokens[0]
    tokens = bare_tokens(list(range(num_tokens)))
    if layout is not None and len(layout.tokens) == num_tokens:
        tokens = picture_tokens(module, layout)
    surface = PictureSurface(
        seen.png,
        seen.width,
        seen.height,
        0,
        0,
        picture.name,
        picture.image.size,
        seen.box,
        picture.notes,
    )
    trace = recording.trace(0, model=model, text=None, tokens=tokens, decoder_tokens=[])
    trace.surface = _laid_out(surface, layout, trace)
    for note in trace.surface.notes:
        logging.getLogger("vitral").warning(message(f"studio.picture_note_{note}"))
    return trace


def _laid_out(surface: PictureSurface, layout: PatchLayout | None, trace: Trace) -> PictureSurface:
    """The surface with its grid, if every layer's attention is between the tokens placed."""
    num_tokens = len(trace.tokens)
    everywhere = all(
        (record.num_queries, record.num_keys) == (num_tokens, num_tokens)
        for record in trace.layers(trace.first_part).values()
    )
    if layout is None or len(layout.tokens) != num_tokens or not everywhere:
        trace.tokens = [Token(number, str(number)) for number in range(num_tokens)]
        return replace(surface, notes=(*surface.notes, NO_PLACES))
    return replace(surface, rows=layout.rows, columns=layout.columns)
