"""The Learn room's record: see vitral.studio.room."""

from vitral.studio.room import Room
from vitral.studio.rooms.learn.learning import Learning
from vitral.studio.rooms.learn.routes import router
from vitral.studio.rooms.learn.settings import LearnSettings

ROOM = Room(
    name="learn",
    router=router,
    begin=Learning,
    settings=LearnSettings,
    statuses={
        "code_off": 403,
        "code_secret": 403,
        "lesson_part_unknown": 404,
        "lesson_unknown": 404,
        "progress_unwritable": 500,
    },
)
