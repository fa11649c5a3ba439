"""The requested edits, applied to a model."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vitral.studio.traces.edit_schemas import Blank, Edit, SetWeight, Silence

if TYPE_CHECKING:
    from vitral.model import Model


@contextmanager
def edited(model: "Model", edits: Sequence[Edit]) -> Iterator[None]:
    """The model is edited inside the block; without edits it is unchanged.

    Raises what `model.edit` and its edits raise.
    """
    if not edits:
        yield
        return
    with model.edit() as open_edit:
        for each in edits:
            if isinstance(each, Silence):
                open_edit.silence(each.layer, each.head, part=each.part)
            elif isinstance(each, SetWeight):
                place = (each.layer, each.head, each.row, each.column)
                open_edit.set_cell(*place, each.value, part=each.part)
            else:
                for part, layers in _parts_reading(model, each):
                    open_edit.blank(each.token, layers=layers, part=part)
        yield


def _parts_reading(model: "Model", edit: Blank) -> list[tuple[str | None, list[int] | None]]:
    """The parts that read the text of a token that is blanked, and their layers (None: all)."""
    from vitral.nn.recurrent_decoder_layer import RecurrentDecoderLayer

    if edit.of == "decoder_tokens":
        return [("decoder", None)]
    if any(isinstance(part, RecurrentDecoderLayer) for part in model.module.modules()):
        return [("cross", [0])]  # such a decoder attends once, in its first layer
    if model.kind == "encoder-decoder":
        return [("encoder", None), ("cross", None)]
    return [(None, None)]
