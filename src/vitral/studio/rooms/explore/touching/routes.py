"""Touching over HTTP: the edited text's trace, and what the edits do to a prediction."""

from fastapi import APIRouter

from vitral.studio.current import CurrentSession
from vitral.studio.rooms.explore.touching.prediction import compare_predictions
from vitral.studio.rooms.explore.touching.schemas import (
    PredictionAnswer,
    PredictionRequest,
    TouchRequest,
)
from vitral.studio.traces import schemas

router = APIRouter(prefix="/api")


@router.post("/touches")
async def post_touch(body: TouchRequest, session: CurrentSession) -> schemas.Trace:
    """Run a text through a model with edits. The trace is stored like any other; without edits
    it is the text's own."""
    return (await session.trace(body.model, body.text, body.answer, body.edits)).summary


@router.post("/touches/prediction")
async def post_touched_prediction(
    body: PredictionRequest, session: CurrentSession
) -> PredictionAnswer:
    """A prediction without and with the edits: the most likely tokens, and the tokens that
    gained and lost most."""
    return await compare_predictions(session, body)
