"""The Train room's record: see vitral.studio.room."""

from vitral.studio.room import Room
from vitral.studio.rooms.train import schemas
from vitral.studio.rooms.train.routes import UPLOADS, router
from vitral.studio.rooms.train.settings import TrainSettings
from vitral.studio.rooms.train.trainings import Trainings
from vitral.studio.rooms.train.watched import WatchedPatternHeader, WatchedPooledHeader

ROOM = Room(
    name="train",
    router=router,
    begin=Trainings,
    settings=TrainSettings,
    streamed={UPLOADS},
    models=(
        schemas.CurveEvent,
        schemas.WatchedEvent,
        schemas.FormMistake,
        WatchedPooledHeader,
        WatchedPatternHeader,
    ),
    statuses={
        "run_is_working": 409,
        "run_not_begun": 409,
        "run_not_resting": 409,
        "run_not_working": 409,
        "run_unknown": 404,
        "text_unknown": 404,
        "upload_too_large": 413,
        "uploads_full": 413,
        "watched_step_gone": 404,
    },
)
