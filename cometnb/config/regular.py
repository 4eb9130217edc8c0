"""A regular file read within a bound: never a device or a pipe, also not one that took the file's place meanwhile."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

__all__ = ["whole_bytes"]

# A pipe without a writer, and a device that has nothing to say, would hold whoever opens them for good.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def whole_bytes(path: Path, largest_bytes: int) -> bytes:
    """Return what a file holds, all of it.

    Parameters
    ----------
    path : Path
    largest_bytes : int

    Raises
    ------
    OSError
        It cannot be opened or read, is no regular file, or is larger.
    """
    # Opening a device can already do something.
    _check(path.stat())
    with os.fdopen(os.open(path, _FLAGS), "rb") as file:
        found = os.fstat(file.fileno())
        _check(found)
        # It may grow while it is read, and what the system makes up as it is read says that it is empty.
        data = file.read(largest_bytes + 1) if found.st_size <= largest_bytes else None
    # Without a wait, what has nothing to give yet gives None.
    if found.st_size > largest_bytes or len(data or b"") > largest_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {largest_bytes // 10**6} MB")
    return data or b""


def _check(found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
