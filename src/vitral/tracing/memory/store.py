"""Where a trace's tensors are kept: in memory up to a budget, past it in a file.

The file has no name (it is gone when the last trace that reads it is, or the process ends) and
is written, not mapped, while the model runs, so that it takes none of the memory in which the
model works. A tensor kept there is mapped back: its pages are read when somebody looks at
them, and the operating system may drop them again.
"""

import mmap
import tempfile
from pathlib import Path
from typing import IO
from weakref import finalize

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.tracing.memory.byte_size import ByteSize

SMALL = 1 << 16
"""Bytes below which a tensor always stays in memory: a mapping each would cost more."""


class Store:
    """Keeps copies of tensors, the first `budget` bytes of them in memory.

    `budget` None keeps everything in memory. `folder` is where the file stands, by default the
    system's folder for temporary files. Afterwards `in_memory` and `on_disk` say how many bytes
    are where.
    """

    def __init__(self, budget: int | None = None, folder: Path | None = None) -> None:
        self.budget = budget
        self.folder = Path(tempfile.gettempdir()) if folder is None else folder
        self.in_memory = 0
        self.on_disk = 0
        self._file: IO[bytes] | None = None

    def keep(self, tensor: Tensor) -> Tensor:
        """A copy that nothing done to `tensor` changes.

        Raises VitralError `disk_full` when the file cannot grow.
        """
        tensor = tensor.detach()
        size = tensor.numel() * tensor.element_size()
        fits = self.budget is None or self.in_memory + size <= self.budget
        if fits or size < SMALL:
            self.in_memory += size
            return tensor.clone(memory_format=torch.contiguous_format)
        return self._written(tensor.cpu().contiguous(), size)

    def _written(self, tensor: Tensor, size: int) -> Tensor:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self.folder, buffering=0)  # noqa: SIM115
            finalize(self, self._file.close)  # the mappings hold the file open themselves
        start = -(-self.on_disk // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY
        content = memoryview(tensor.view(-1).view(torch.uint8).numpy().data)
        try:
            self._file.seek(start)
            while len(content):
                content = content[self._file.write(content) :]
        except OSError as error:
            raise VitralError(
                "disk_full", size=ByteSize(start + size), folder=str(self.folder)
            ) from error
        self.on_disk = start + size
        # A private mapping: should anyone write into the tensor, the file stays as it is.
        pages = mmap.mmap(self._file.fileno(), size, access=mmap.ACCESS_COPY, offset=start)
        return torch.frombuffer(pages, dtype=tensor.dtype).view(tensor.shape)
