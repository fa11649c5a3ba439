"""The traces that Studio stores: the most recent ones, within a limit on their memory.

A page names a trace by its id and requests views of it. If it has been dropped, the answer is
`trace_gone`, and the page traces the text again.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitral.errors import VitralError
from vitral.studio.traces import schemas

if TYPE_CHECKING:
    from vitral.studio.traces.edit_schemas import Edit
    from vitral.tracing import Trace


@dataclass(frozen=True)
class StoredTrace:
    """A trace, its description, and the memory it takes in bytes."""

    trace: "Trace"
    summary: schemas.Trace
    num_bytes: int


def trace_id(model: str, text: str, answer: str | None = None, edits: "Sequence[Edit]" = ()) -> str:
    """A digest of the request: the same model, texts and edits have the same id, 32 hex digits."""
    digest = hashlib.sha256()
    asked = [model, text, *([] if answer is None else ["answer", answer])]
    for part in (*asked, *(edit.model_dump_json() for edit in edits)):
        data = part.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()[:32]


def trace_bytes(trace: "Trace") -> int:
    """Memory of a trace, in bytes; memory that several of its tensors share counts once."""
    storages = [tensor.untyped_storage() for tensor in trace.tensors()]
    kept = sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())
    material = trace.surface.material if trace.surface is not None else None
    return kept + len(material or b"")


class TraceStore:
    """Least recently used traces leave first. Safe to use from several threads.

    A trace grows once it is asked for maps and measures, which are computed then and kept with it.
    So a trace is measured anew whenever it is found, and all of them before one is added.
    """

    def __init__(self, max_bytes: int, max_traces: int) -> None:
        self.max_bytes = max_bytes
        self.max_traces = max_traces
        self._traces: OrderedDict[str, StoredTrace] = OrderedDict()
        self._first: dict[str, int] = {}  # what `trace_bytes` said when the trace was added
        self._grown: dict[str, int] = {}  # how much more it says now
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._traces)

    @property
    def num_bytes(self) -> int:
        """Memory of all that is kept, in bytes."""
        with self._lock:
            for key in self._traces:
                self._measure(key)
            return self._total()

    def add(self, stored: StoredTrace) -> None:
        """Keep `stored`, and drop the oldest ones until the rest fits (`stored` itself stays)."""
        key = stored.summary.id
        with self._lock:
            self._drop(key)
            self._traces[key] = stored
            self._first[key] = trace_bytes(stored.trace)
            for each in self._traces:
                self._measure(each)
            self._make_room()

    def drop_model(self, name: str) -> None:
        """Drop the traces of a deleted model."""
        with self._lock:
            for key in [k for k, s in self._traces.items() if s.summary.model == name]:
                self._drop(key)

    def find(self, key: str) -> StoredTrace | None:
        """The trace with this id, or None."""
        with self._lock:
            stored = self._traces.get(key)
            if stored is not None:
                self._traces.move_to_end(key)
                self._measure(key)
                self._make_room()
            return stored

    def get(self, key: str) -> StoredTrace:
        """The trace with this id. Raises VitralError("trace_gone") where it is not kept."""
        stored = self.find(key)
        if stored is None:
            raise VitralError("trace_gone")
        return stored

    def _measure(self, key: str) -> None:
        self._grown[key] = trace_bytes(self._traces[key].trace) - self._first[key]

    def _total(self) -> int:
        return sum(each.num_bytes for each in self._traces.values()) + sum(self._grown.values())

    def _make_room(self) -> None:
        """Drop the oldest ones until the rest fits; the most recent one stays."""
        while len(self._traces) > 1 and (
            len(self._traces) > self.max_traces or self._total() > self.max_bytes
        ):
            self._drop(next(iter(self._traces)))

    def _drop(self, key: str) -> None:
        if self._traces.pop(key, None) is not None:
            del self._first[key]
            self._grown.pop(key, None)
