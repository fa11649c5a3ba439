"""The Explore room's record: see vitral.studio.room."""

from fastapi import APIRouter

from vitral.studio.room import Room
from vitral.studio.rooms.explore.explaining.routes import router as explaining
from vitral.studio.rooms.explore.pictures.routes import PICTURES
from vitral.studio.rooms.explore.pictures.routes import router as pictures
from vitral.studio.rooms.explore.routes import router as traces
from vitral.studio.rooms.explore.sharing.routes import UPLOAD
from vitral.studio.rooms.explore.sharing.routes import router as sharing
from vitral.studio.rooms.explore.touching.routes import router as touching
from vitral.studio.traces.query_key import QueryKeyHeader
from vitral.studio.traces.token_list import TokensHeader
from vitral.studio.traces.views import PooledHeader, ViewHeader

router = APIRouter()
for part in (traces, explaining, touching, sharing, pictures):
    router.include_router(part)

ROOM: Room[None] = Room(
    name="explore",
    router=router,
    streamed={UPLOAD, PICTURES},
    questions={"/api/traces", "/api/touches", "/api/touches/prediction"},
    models=(PooledHeader, ViewHeader, QueryKeyHeader, TokensHeader),
    statuses={"trace_upload_too_large": 413, "picture_upload_too_large": 413, "no_picture": 404},
)
