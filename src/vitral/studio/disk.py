"""What cannot be written, as one error that says where: a disk that is full or read-only."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vitral.errors import VitralError

LATER = {
    getattr(errno, name)
    for name in (
        *("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "EIO"),
        *("EMFILE", "ENFILE", "ENOMEM"),
    )
    if hasattr(errno, name)  # Windows lacks some
}
"""What the system says if something cannot be written now, and later may."""


def disk_refuses(place: Path | str, error: OSError) -> VitralError:
    """What the disk says, and where."""
    return VitralError("disk_refuses", place=place, reason=error.strerror or str(error))


@contextmanager
def taken_by_disk(place: Path | str) -> Iterator[None]:
    """Inside, what cannot be written at `place` is `disk_refuses`; also where safetensors or
    tokenizers were to write it."""
    from vitral.models.whole_folder import as_os_error

    try:
        yield
    except OSError as error:
        raise disk_refuses(place, error) from error
    except VitralError:
        raise
    except Exception as error:
        written = as_os_error(error)
        if written is None:
            raise
        raise disk_refuses(place, written) from error
