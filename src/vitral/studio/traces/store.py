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
    """Least recently used traces leave first. Safe to use from several threads."""

    def __init__(self, max_bytes: int, max_traces: int) -> None:
        self.max_bytes = max_bytes
        self.max_traces = max_traces
        self._traces: OrderedDict[str, StoredTrace] = OrderedDict()
        self._num_bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._traces)

    @property
    def num_bytes(self) -> int:
        """Memory of all stored traces, in bytes."""
        return self._num_bytes

    def add(self, stored: StoredTrace) -> None:
        """Keep `stored`, and drop the oldest ones until the rest fits (`stored` itself stays)."""
        key = stored.summary.id
        with self._lock:
            replaced = self._traces.pop(key, None)
            if replaced is not None:
                self._num_bytes -= replaced.num_bytes
            self._traces[key] = stored
            self._num_bytes += stored.num_bytes
            while len(self._traces) > 1 and (
                self._num_bytes > self.max_bytes or len(self._traces) > self.max_traces
            ):
                _, dropped = self._traces.popitem(last=False)
                self._num_bytes -= dropped.num_bytes

    def drop_model(self, name: str) -> None:
        """Drop the traces of a deleted model."""
        with self._lock:
            for key in [k for k, s in self._traces.items() if s.summary.model == name]:
                self._num_bytes -= self._traces.pop(key).num_bytes

    def find(self, key: str) -> StoredTrace | None:
        """The trace with this id, or None."""
        with self._lock:
            stored = self._traces.get(key)
            if stored is not None:
                self._traces.move_to_end(key)
            return stored

    def get(self, key: str) -> StoredTrace:
        """The trace with this id. Raises VitralError("trace_gone") where it is not kept."""
        stored = self.find(key)
        if stored is None:
            raise VitralError("trace_gone")
        return stored
