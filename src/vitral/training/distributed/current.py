"""What this process is part of: a run by itself, or one of several that torchrun started."""

import os

from vitral.errors import VitralError
from vitral.training.distributed.parallel import DataParallel, Kind, Parallel


def current(kind: Kind | None = None, device: str = "cpu") -> Parallel:
    """What this process is part of: by itself, or, where torchrun started it, one of several,
    data parallel unless `kind` says otherwise.

    Raises `parallel_without_torchrun` where a kind is asked for and there is only one process.
    """
    if not {"RANK", "WORLD_SIZE"} <= set(os.environ):
        if kind is not None:
            raise VitralError("parallel_without_torchrun", kind=kind)
        return Parallel()
    if kind == "sharded":
        from vitral.training.distributed.sharded import Sharded

        return Sharded(device)
    return DataParallel(device)
