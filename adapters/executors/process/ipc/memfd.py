"""Files without a name or a disk, to be shared between two processes."""

import ctypes
import fcntl
import mmap
import os
import sys

_KEEP_SIZE = 1
_PUNCH_HOLE = 2


def anonymous_file() -> int:
    """The descriptor of a new one, empty, for reading and writing."""
    if sys.platform == "linux":
        return os.memfd_create("flask-tasks")
    import tempfile

    with tempfile.TemporaryFile(buffering=0) as file:
        return os.dup(file.fileno())


def appending(file: int) -> int:
    """The same, and whoever it is shared with writes at its end."""
    fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) | os.O_APPEND)
    return file


def forget(file: int, start: int, end: int) -> int:
    """Give back the memory of whole pages between the two, and answer where the next to be given back begins.

    The file stays as long as it is: what was there reads as NULs. Where the system cannot do that, nothing happens.
    """
    end -= end % mmap.PAGESIZE
    if end <= start:
        return start
    if sys.platform == "linux":
        mode, length = ctypes.c_int(_PUNCH_HOLE | _KEEP_SIZE), ctypes.c_long(end - start)
        ctypes.CDLL(None).fallocate(file, mode, ctypes.c_long(start), length)
    return end
