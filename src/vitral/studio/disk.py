"""What a disk does not take, as one error that says which: full, read-only, not ours to write."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vitral.errors import VitralError

LATER = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)
"""What the system says where the disk does not take something now, and later may."""


def disk_refuses(place: Path | str, error: OSError) -> VitralError:
    """What the disk says, and where."""
    return VitralError("disk_refuses", place=place, reason=error.strerror or str(error))


@contextmanager
def taken_by_disk(place: Path | str) -> Iterator[None]:
    """Inside, what the disk under `place` does not take is `disk_refuses`."""
    try:
        yield
    except OSError as error:
        raise disk_refuses(place, error) from error
