"""The edits that a request asks for, carried out on a model."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vitral.studio.touching.schemas import Edit, Silence, Weight

if TYPE_CHECKING:
    from vitral.model import Model


@contextmanager
def edited(model: "Model", edits: Sequence[Edit]) -> Iterator[None]:
    """Whatever `model` computes inside is edited; with no edits it is as it is.

    Raises what `model.edit` and its edits raise.
    """
    if not edits:
        yield
        return
    with model.edit() as open_edit:
        for each in edits:
            if isinstance(each, Silence):
                open_edit.silence(each.layer, each.head)
            elif isinstance(each, Weight):
                open_edit.set_cell(each.layer, each.head, each.row, each.column, each.value)
            else:
                open_edit.blank(each.token)
        yield
