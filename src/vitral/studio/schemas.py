"""The bodies that Studio and the page exchange in every room."""

from pydantic import BaseModel, Field

from vitral.studio.catalog.description import ModelDescription


class RoomEntry(BaseModel):
    """A room, and whether all that it needs is installed."""

    name: str
    available: bool
    install: str | None = Field(
        description="The one command that brings what it lacks; null where nothing is missing"
    )


class Studio(BaseModel):
    """Everything the page needs for its first paint."""

    version: str
    default_model: str
    default_text: str
    max_text_bytes: int
    max_tokens: int
    max_trace_file_bytes: int
    max_picture_bytes: int
    models: list[ModelDescription]
    rooms: list[RoomEntry]


class QueuePlace(BaseModel):
    """Where a request stands in the queue of what runs models."""

    before: int | None = Field(
        description="Pieces of work that come before it; 0 while it runs; null where no request "
        "with this ticket waits for a model"
    )
