"""A .npy file that grows while it is written, and is only there once it is whole.

    with ArrayFile(Path("ids.npy"), np.dtype(np.uint16)) as file:
        for ids in pieces:
            file.append(ids)
    np.load("ids.npy", mmap_mode="r")

NumPy's header names the array's length, which is not known before the end, and leaves room for
any length (NumPy format 1.0). So a header for length 0 is written first and overwritten last.
Until `close`, everything is in `ids.npy.new`; a process that is killed leaves that file, and the
next one to write overwrites it.
"""

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from vitral.errors import VitralError


class ArrayFile:
    """One row of numbers of a `dtype`, written from its beginning to its end.

    Raises VitralError `file_unwritable` if there is no space or no permission.
    """

    def __init__(self, path: Path, dtype: np.dtype[Any]) -> None:
        self.path, self.dtype, self.length = path, dtype, 0
        self._partial = path.with_name(path.name + ".new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._partial.open("wb")
            self._write_header()
        except OSError as error:
            raise self._unwritable(error) from error
        self._start = self._file.tell()

    def append(self, values: NDArray[Any]) -> None:
        """Append `values`."""
        try:
            self._file.write(np.ascontiguousarray(values, dtype=self.dtype).tobytes())
        except OSError as error:
            raise self._unwritable(error) from error
        self.length += len(values)

    def finish(self) -> None:
        """Flush all of it to the disk, still under its temporary name."""
        try:
            self._file.seek(0)
            self._write_header()
            assert self._file.tell() == self._start, "the header left no room for the length"
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise self._unwritable(error) from error

    def publish(self) -> None:
        """Give the finished file its name, in one step."""
        self._partial.replace(self.path)

    def discard(self) -> None:
        """Delete what was written."""
        with suppress(OSError):  # the rest of the buffer may not fit on the disk
            self._file.close()
        self._partial.unlink(missing_ok=True)

    def __enter__(self) -> "ArrayFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self.discard()
            return
        self.finish()
        self.publish()

    def _write_header(self) -> None:
        header = {
            "descr": npy.dtype_to_descr(self.dtype),
            "fortran_order": False,
            "shape": (self.length,),
        }
        npy.write_array_header_1_0(self._file, header)

    def _unwritable(self, error: OSError) -> VitralError:
        return VitralError("file_unwritable", path=self.path, reason=error.strerror)
