"""Writing a file so that neither the old one nor half of the new one is lost."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from vitral.errors import VitralError


class NewFile:
    """A file to be written. What can be checked before any work is checked here.

    Raises VitralError("file_exists") unless `overwrite`, and "file_unwritable".
    """

    def __init__(self, path: Path, overwrite: bool) -> None:
        self.path = path
        self.overwrite = overwrite
        if path.is_dir():
            raise VitralError("file_unwritable", path=path, reason=os.strerror(21))
        if path.exists() and not overwrite:
            raise VitralError("file_exists", path=path)
        if not path.parent.is_dir():
            raise VitralError("file_unwritable", path=path, reason=os.strerror(2))
        if not os.access(path.parent, os.W_OK):
            raise VitralError("file_unwritable", path=path, reason=os.strerror(13))

    def write(self, save: Callable[[Path], object]) -> None:
        """Let `save` write a file next to the target, then rename it in one step."""
        try:
            handle, name = tempfile.mkstemp(
                dir=self.path.parent, prefix=f".{self.path.name}.", suffix=self.path.suffix
            )
            os.close(handle)
        except OSError as error:
            raise self._unwritable(error) from error
        temporary = Path(name)
        try:
            save(temporary)
            temporary.chmod(0o666 & ~_umask())
            if self.overwrite:
                temporary.replace(self.path)
            else:
                self.path.hardlink_to(temporary)
        except FileExistsError as error:  # it appeared while the model ran
            raise VitralError("file_exists", path=self.path) from error
        except OSError as error:
            raise self._unwritable(error) from error
        finally:
            temporary.unlink(missing_ok=True)

    def _unwritable(self, error: OSError) -> VitralError:
        return VitralError("file_unwritable", path=self.path, reason=error.strerror)


def _umask() -> int:
    """The process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
