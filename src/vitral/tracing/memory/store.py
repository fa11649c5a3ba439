"""Where a trace's tensors are kept: in memory up to a budget, above it in a file.

The file has no name (it is deleted with the last trace that reads it, or when the process ends)
and is written, not mapped, while the model runs, so that it uses none of the model's working
memory. A tensor kept there is memory-mapped: its pages are read on first use, and the operating
system can drop them again.
"""

import mmap
import tempfile
from pathlib import Path
from typing import IO
from weakref import finalize

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.tracing.memory.byte_size import in_words

SMALL = 1 << 16
"""Bytes below which a tensor always stays in memory: a mapping would cost more."""


class Store:
    """Keeps copies of tensors, the first `budget` bytes of them in memory.

    `budget` None keeps everything in memory. `folder` is the folder of the file, by default the
    system's folder for temporary files. `in_memory` and `on_disk` count the bytes kept in each.
    """

    def __init__(self, budget: int | None = None, folder: Path | None = None) -> None:
        self.budget = budget
        self.folder = Path(tempfile.gettempdir()) if folder is None else folder
        self.in_memory = 0
        self.on_disk = 0
        self._file: IO[bytes] | None = None

    def keep(self, tensor: Tensor) -> Tensor:
        """A copy, independent of `tensor`.

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
                "disk_full", size=in_words(start + size), folder=str(self.folder)
            ) from error
        self.on_disk = start + size
        # A private mapping: writing into the tensor does not change the file.
        pages = mmap.mmap(self._file.fileno(), size, access=mmap.ACCESS_COPY, offset=start)
        return torch.frombuffer(pages, dtype=tensor.dtype).view(tensor.shape)
