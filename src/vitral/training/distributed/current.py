"""The group of this process: a run by itself, or one of several processes that torchrun started."""

import os

from vitral.errors import VitralError
from vitral.training.distributed.parallel import DataParallel, Kind, Parallel


def current(kind: Kind | None = None, device: str = "cpu") -> Parallel:
    """The group of this process: itself alone or, if torchrun started it, several, data parallel
    by default (`kind`).

    Raises `parallel_without_torchrun` if a kind is given and there is only one process.
    """
    if not {"RANK", "WORLD_SIZE"} <= set(os.environ):
        if kind is not None:
            raise VitralError("parallel_without_torchrun", kind=kind)
        return Parallel()
    if kind == "sharded":
        from vitral.training.distributed.sharded import Sharded

        return Sharded(device)
    return DataParallel(device)
