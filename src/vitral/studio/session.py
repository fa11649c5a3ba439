"""What the rooms of one running Studio share: its models, its traces, its threads."""

import re
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vitral.errors import VitralError
from vitral.studio.catalog.model_catalog import ModelCatalog
from vitral.studio.disk import taken_by_disk
from vitral.studio.limits import Limits
from vitral.studio.traces import schemas
from vitral.studio.traces.answer import answered
from vitral.studio.traces.answers import TraceAnswers
from vitral.studio.traces.edit_schemas import Edit
from vitral.studio.traces.edits import edited
from vitral.studio.traces.length import check_length
from vitral.studio.traces.read import read_stored
from vitral.studio.traces.store import StoredTrace, TraceStore, trace_bytes, trace_id
from vitral.studio.traces.summary import summary_of
from vitral.studio.work.workshop import Workshop

if TYPE_CHECKING:
    from vitral.tracing import Trace


class Session:
    """Coroutines are called from the event loop; their computations run in the workshop."""

    def __init__(self, catalog: ModelCatalog, limits: Limits) -> None:
        self.catalog = catalog
        self.limits = limits
        self.store = TraceStore(limits.store_bytes, limits.store_traces)
        self.workshop = Workshop(limits)

    async def warm(self) -> None:
        """Open the default model in advance. A failure is reported to the request that needs the
        model."""
        with suppress(VitralError):
            name = self.catalog.default
            await self.workshop.run_on(name, None, partial(self.catalog.open, name))

    def close(self) -> None:
        """Drop waiting jobs, stop running ones."""
        self.workshop.close()

    async def trace(
        self, model: str, text: str, answer: str | None = None, edits: Sequence[Edit] = ()
    ) -> StoredTrace:
        """The trace of `text`, edited or not; the same request made twice at once runs once, and
        is stopped when no request waits for it.

        An encoder–decoder's decoder reads `answer`, by default what the model writes itself,
        with no edits.
        Raises VitralError: text_empty, text_not_utf8, text_over_bytes, text_over_tokens,
        text_too_long, answer_unread, model_unknown, studio_busy, what loading and editing the
        model raise, and what `summary_of` raises.
        """
        self.check_text(text)
        if answer is not None:
            self.check_text(answer)
        self.catalog.check(model)
        key = trace_id(model, text, answer, edits)
        stored = self.store.find(key)
        if stored is not None:
            return stored
        work = partial(self._trace, key, model, text, answer, edits)
        return await self.workshop.run_on(model, key, work)

    def answers(self, key: str) -> TraceAnswers:
        """The answers of a stored trace. Raises VitralError("trace_gone")."""
        return TraceAnswers(self.store.get(key).trace, self.limits)

    async def read(self, key: str) -> StoredTrace:
        """A trace that is kept, or one read in another way: "<id>~no-rest~words", which is kept
        from then on under that id. Raises VitralError("trace_gone") and what `read_stored`
        raises."""
        base, _, name = key.partition("~")
        stored = self.store.find(key)
        if stored is not None or not name:
            return stored or self.store.get(key)
        read = await self.workshop.quick(read_stored, self.store.get(base), name, self.limits)
        self.store.add(read)
        return read

    async def file(self, key: str) -> tuple[Path, str]:
        """A temporary file with the trace, for the caller to delete, and a name to offer for it."""
        stored = self.store.get(key)
        path = await self.workshop.quick(_save, stored.trace)
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", stored.summary.model).strip("-.")
        return path, f"{name}-{key[:8]}.vitral"

    def check_text(self, text: str) -> None:
        """Raises VitralError: text_not_utf8, text_empty, text_over_bytes."""
        try:
            num_bytes = len(text.encode())
        except UnicodeEncodeError as error:  # half of a surrogate pair, escaped in JSON
            raise VitralError("text_not_utf8", position=error.start) from error
        if not text.strip():
            raise VitralError("text_empty")
        if num_bytes > self.limits.text_bytes:
            raise VitralError("text_over_bytes", length=num_bytes, limit=self.limits.text_bytes)

    def _trace(
        self, key: str, model_name: str, text: str, answer: str | None, edits: Sequence[Edit]
    ) -> StoredTrace:
        """Load the model if necessary, run it, store the trace. In a thread."""
        with self.catalog.borrow(model_name) as model:
            for each in (text,) if answer is None else (text, answer):
                check_length(model.tokens(each), model, model_name, self.limits)
            written: schemas.Answer | None = None
            started = time.perf_counter()
            if model.kind == "encoder-decoder":
                unedited = self.store.find(trace_id(model_name, text)) if edits else None
                most = self.limits.answer_tokens
                trace, written = answered(model, text, answer, most, edits, unedited)
            elif answer is not None:
                raise VitralError("answer_unread", model=model_name)
            else:
                with edited(model, edits):
                    trace = model.trace(text)
            seconds = time.perf_counter() - started
        summary = summary_of(
            trace,
            key=key,
            model=model_name,
            seconds=seconds,
            limits=self.limits,
            answer=written,
        )
        stored = StoredTrace(trace, summary, trace_bytes(trace))
        self.store.add(stored)
        return stored


def _save(trace: "Trace") -> Path:
    """The trace in a temporary file. In a thread. Raises `disk_refuses`."""
    from vitral.tracing.memory.store import temporary_folder

    with taken_by_disk(temporary_folder()):
        with tempfile.NamedTemporaryFile(prefix="vitral-", suffix=".vitral", delete=False) as file:
            path = Path(file.name)
        try:
            trace.save(path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return path
