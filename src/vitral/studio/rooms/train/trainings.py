"""The state of the Train room: its texts, its runs and their scheduler."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from vitral.errors import VitralError
from vitral.studio.room import RoomState
from vitral.studio.rooms.train import schemas
from vitral.studio.rooms.train.notes import Note
from vitral.studio.rooms.train.run_description import describe
from vitral.studio.rooms.train.run_scheduler import RunScheduler
from vitral.studio.rooms.train.runs import Runs
from vitral.studio.rooms.train.settings import TrainSettings
from vitral.studio.rooms.train.texts import Text, Texts
from vitral.studio.rooms.train.uploads import ENDINGS, receive
from vitral.studio.session import Session

EVERY = 1.0
"""Seconds between two rounds of the scheduler."""

WATCHED_CHARACTERS = 500


class Trainings(RoomState):
    """The Train room's state. Raises `source_missing` for a text that is not there."""

    def __init__(self, session: Session, settings: TrainSettings) -> None:
        self.settings = settings
        self.runs = Runs(settings.runs)
        self.texts = Texts(self.runs.studio, settings.texts)
        self.scheduler = RunScheduler(self.runs, session.catalog)
        self.catalog, self.store = session.catalog, session.store
        self._rounds: asyncio.Task[None] | None = None
        self.num_listening = 0

    async def open(self) -> None:
        """Add the models of finished runs to the catalog, and start the scheduler."""
        await asyncio.to_thread(self.scheduler.tick)
        self._rounds = asyncio.create_task(self._go_round())

    async def close(self) -> None:
        """Stop the scheduler. Trainings continue in their own processes."""
        if self._rounds is not None:
            self._rounds.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._rounds

    async def _go_round(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            with contextlib.suppress(OSError, VitralError):  # a full disk, a folder just deleted
                await asyncio.to_thread(self.scheduler.tick)

    def training(self) -> schemas.Training:
        """The room's first view. In a thread."""
        runs = [self.describe(id) for id in self.runs.ids()]
        return schemas.Training(
            texts=[text_schema(text) for text in self.texts.all()],
            runs=sorted((run for run in runs if run is not None), key=lambda run: -run.created),
            endings=list(ENDINGS),
            max_upload_bytes=self.settings.upload_bytes,
            max_phases=schemas.MOST_PHASES,
            max_watched_characters=WATCHED_CHARACTERS,
        )

    def describe(self, id: str) -> schemas.Run | None:
        """The state of a run, None if it was deleted. In a thread."""
        try:
            return describe(self.runs, self.scheduler, self.catalog, id)
        except (VitralError, FileNotFoundError):
            return None

    def described(self, id: str) -> schemas.Run:
        """The same; raises `run_unknown`."""
        run = self.describe(id)
        if run is None:
            raise VitralError("run_unknown", name=id[:200])
        return run

    async def upload(
        self, chunks: AsyncIterator[bytes], name: str, announced: int
    ) -> schemas.TrainingText:
        """Take in a text. Raises what `receive` raises, and `uploads_full`."""
        kept = [text for text in self.texts.all() if text.kind == "uploaded"]
        used = sum(text.num_bytes or 0 for text in kept)
        if len(kept) >= self.settings.uploads or used + announced > self.settings.all_upload_bytes:
            raise VitralError("uploads_full", limit=self.settings.uploads)
        path = await receive(
            chunks,
            name,
            self.texts.uploads,
            limit=self.settings.upload_bytes,
            announced=announced,
        )
        return text_schema(self.texts.find(f"uploaded.{path.name}"))

    def form(self) -> list[schemas.RecipeField]:
        """The entries of a recipe, as a form asks for them. In a thread."""
        from vitral.studio.rooms.train.form import form
        from vitral.studio.rooms.train.teachers import teachers_in

        return form(teachers_in(self.catalog))

    def propose(self, text: str, minutes: float) -> schemas.Proposal:
        """What the dial would choose. In a thread; takes some seconds. Raises `text_unknown`, and
        what `choose` raises."""
        from vitral.studio.rooms.train.filled_in import flat
        from vitral.training.recipes.dial import choose

        source = self.texts.ready(text).path
        with tempfile.TemporaryDirectory(prefix="vitral-") as folder:
            chosen = choose([str(source)], minutes, Path(folder), name=source.stem)
        return schemas.Proposal(settings=flat(chosen))

    def begin(self, asked: schemas.RunRequest, language: str) -> schemas.Run:
        """Note a training, and start it if none is under way. In a thread.

        Raises `text_unknown`, `text_not_chosen`, `form_invalid`, `minutes_missing`."""
        note = Note(
            name=asked.name,
            source="" if asked.text is None else str(self.texts.find(asked.text).path.resolve()),
            created=time.time(),
            language=language,
            minutes=asked.minutes,
            watch=asked.watch,
            settings=dict(asked.settings),
        )
        recipe = None
        if asked.settings:
            from vitral.studio.rooms.train.filled_in import filled_in

            own: dict[str, object] = {"name": asked.name}
            if asked.watch is not None:
                own["watch"] = asked.watch
            if asked.minutes is not None and asked.settings.get("steps") is None:
                own["minutes"] = asked.minutes
            recipe = filled_in({**asked.settings, **own}, self.catalog)
            if recipe.data.pairs is not None:
                note = note.but(source="")
        elif asked.minutes is None:
            raise VitralError("minutes_missing")
        if recipe is None or recipe.data.pairs is None:
            if asked.text is None:
                raise VitralError("text_not_chosen")
            self.texts.ready(asked.text)
        with self.runs.lock:
            id = self.runs.new_id(asked.name)
            if recipe is not None:
                from vitral.training.recipes.recipe_file import write_recipe

                path = self.runs.notes.recipe_path(id)
                path.parent.mkdir(parents=True, exist_ok=True)
                write_recipe(recipe, path)
            self.runs.notes.write(id, note)
        self.scheduler.tick()
        return self.described(id)

    def delete(self, id: str) -> None:
        """Delete a run, and its model from the catalog. In a thread. Raises what
        `Runs.delete` raises."""
        self.runs.delete(id)
        self.scheduler.forget(id)
        self.store.drop_model(id)


def text_schema(text: Text) -> schemas.TrainingText:
    """A text as the page sees it: without its path."""
    return schemas.TrainingText(
        id=text.id,
        kind=text.kind,
        name=text.name,
        num_bytes=text.num_bytes,
        watched=text.watched,
    )
