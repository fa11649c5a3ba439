"""The effect of edits on a prediction and on the heads."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from vitral.errors import VitralError
from vitral.studio.catalog.model_catalog import ModelCatalog
from vitral.studio.rooms.explore.touching.schemas import (
    CandidateChange,
    HeadMoved,
    PredictionAnswer,
    PredictionRequest,
)
from vitral.studio.session import Session
from vitral.studio.traces.edit_schemas import Edit, Silence
from vitral.studio.traces.edits import edited

if TYPE_CHECKING:
    from vitral.model import Model
    from vitral.tracing import Trace

MOST_HEADS = 5


async def compare_predictions(session: Session, asked: PredictionRequest) -> PredictionAnswer:
    """The prediction without and with the edits; both traces are stored, like every trace.

    Raises VitralError: what `Session.trace` and `explain.prediction_change` raise, and
    `ablation_no_mask`, `token_out_of_range` for a mask.
    """
    before = await session.trace(asked.model, asked.text, asked.answer)
    after = await session.trace(asked.model, asked.text, asked.answer, asked.edits)
    return await session.workshop.run(_compared, session.catalog, before.trace, after.trace, asked)


def _compared(
    catalog: ModelCatalog, before: "Trace", after: "Trace", asked: PredictionRequest
) -> PredictionAnswer:
    """In a thread."""
    from vitral.explain import prediction_change

    heads = _moved(before, after, asked.edits)
    with catalog.borrow(asked.model) as model:
        if asked.masked:
            before, after = _masked(model, before, asked)
        found = prediction_change(before, after, model, asked.place, count=asked.count)
    lists = {
        name: [CandidateChange(**asdict(each)) for each in getattr(found, name)]
        for name in ("before", "after", "rose", "fell")
    }
    return PredictionAnswer(
        place=found.place,
        masked=asked.masked,
        divergence=found.divergence,
        moved=found.moved,
        heads=heads,
        **lists,
    )


def _masked(model: "Model", trace: "Trace", asked: PredictionRequest) -> tuple["Trace", "Trace"]:
    """The same text with the mask in place of the requested token, without and with the edits."""
    from vitral.explain.mask_token import mask_id

    ids = [token.id for token in trace.tokens]
    place = len(ids) - 1 if asked.place is None else asked.place
    if place >= len(ids):
        raise VitralError("token_out_of_range", token=place, length=len(ids))
    ids[place] = mask_id(model)
    before = model.trace(ids=ids)
    with edited(model, asked.edits):
        return before, model.trace(ids=ids)


def _moved(before: "Trace", after: "Trace", edits: Sequence[Edit]) -> list[HeadMoved]:
    """The heads whose attention changed most, largest first."""
    from vitral.tracing.editing.before_after import difference

    if not edits:
        return []
    silenced = {
        (before.first_part if each.part is None else each.part, each.layer, each.head)
        for each in edits
        if isinstance(each, Silence)
    }
    changed = difference(before, after)
    found = [
        HeadMoved(part=part, layer=layer, head=head, share=share)
        for part in before.parts
        for layer, row in enumerate(changed.attention(part).tolist())
        for head, share in enumerate(row)
        if share > 0 and (part, layer, head) not in silenced
    ]
    return sorted(found, key=lambda each: -each.share)[:MOST_HEADS]
