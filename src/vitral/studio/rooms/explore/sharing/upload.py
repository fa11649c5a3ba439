"""The upload of a trace's file: into a temporary file, and only as far as it is valid.

Its first bytes show whether it can be a trace. A safetensors file begins with the length of its
header, eight bytes, and the header is JSON in which a trace has an entry of its own.
"""

import hashlib
import struct
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from vitral.errors import VitralError

if TYPE_CHECKING:
    from vitral.tracing import Trace

HEAD = 9
"""Bytes that identify the kind of file: the header's length, and the brace that opens it."""
LARGEST_HEADER = 100_000_000
"""safetensors refuses longer ones."""


@dataclass
class Upload:
    """The received part of a file called `name`, in `file`; at most `most_bytes` of it."""

    file: IO[bytes]
    name: str
    most_bytes: int
    num_bytes: int = 0
    _digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    _head: bytes = b""

    def announce(self, length: str | None) -> None:
        """The Content-Length that came before it, if any.

        Raises VitralError `trace_upload_too_large`.
        """
        if length is not None and length.isdecimal() and int(length) > self.most_bytes:
            raise self._too_large()

    async def take(self, chunks: AsyncIterator[bytes]) -> None:
        """Write the received bytes. Raises VitralError `trace_upload_too_large` and
        `upload_not_trace` as early as possible, and `trace_upload_empty`."""
        async for chunk in chunks:
            self.num_bytes += len(chunk)
            if self.num_bytes > self.most_bytes:
                raise self._too_large()
            if len(self._head) < HEAD:
                self._head += chunk[: HEAD - len(self._head)]
                if len(self._head) == HEAD and not begins_a_trace(self._head):
                    raise VitralError("upload_not_trace", name=self.name)
            self._digest.update(chunk)
            self.file.write(chunk)
        if self.num_bytes == 0:
            raise VitralError("trace_upload_empty", name=self.name)
        if len(self._head) < HEAD:
            raise VitralError("upload_not_trace", name=self.name)
        self.file.flush()

    def _too_large(self) -> VitralError:
        limit = self.most_bytes // 2**20
        return VitralError("trace_upload_too_large", name=self.name, limit=limit)

    @property
    def key(self) -> str:
        """The trace's id: a digest of the file, so that the same file is read once."""
        return self._digest.hexdigest()[:32]


@contextmanager
def receiving(name: str, most_bytes: int) -> Iterator[Upload]:
    """An upload in a temporary file, which is deleted afterwards."""
    with tempfile.NamedTemporaryFile(prefix="vitral-", suffix=".vitral") as file:
        yield Upload(file, name, most_bytes)


def begins_a_trace(head: bytes) -> bool:
    """Whether a file with these first nine bytes can be a trace's."""
    (length,) = struct.unpack("<Q", head[:8])
    return 2 <= length <= LARGEST_HEADER and head[8:9] == b"{"


def read(path: Path, name: str) -> "Trace":
    """The trace in the file at `path`, which its owner calls `name`. In a thread.

    Raises VitralError `trace_damaged`, `trace_version`, `upload_not_trace`.
    """
    from vitral.tracing.files.open_trace import open_trace

    try:
        return open_trace(path)
    except VitralError as error:
        if error.key == "trace_damaged" and error.values["reason"] == "vitral.trace":
            raise VitralError("upload_not_trace", name=name) from error  # other tensors
        raise VitralError(error.key, **{**error.values, "path": name}) from error
