"""The rooms that Studio has: a line each, in the order in which the page shows them."""

from typing import Any

from vitral.studio.room import Room
from vitral.studio.rooms.explore.room import ROOM as EXPLORE
from vitral.studio.rooms.learn.room import ROOM as LEARN
from vitral.studio.rooms.train.room import ROOM as TRAIN
from vitral.studio.rooms.write.room import ROOM as WRITE

ROOMS: tuple[Room[Any], ...] = (EXPLORE, WRITE, TRAIN, LEARN)
