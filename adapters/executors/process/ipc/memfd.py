"""Files in memory, without a name, that two processes share."""

import ctypes
import fcntl
import mmap
import os
import sys

_KEEP_SIZE = 1
_PUNCH_HOLE = 2


def anonymous_file() -> int:
    """The descriptor of a new empty file, for reading and writing."""
    if sys.platform == "linux":
        return os.memfd_create("flask-tasks", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    import tempfile

    with tempfile.TemporaryFile(buffering=0) as file:
        return os.dup(file.fileno())


def seal(file: int) -> None:
    """Fix the length of the file: a process that maps it is killed if another one shortens it."""
    if sys.platform == "linux":
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)


def appending(file: int) -> int:
    """Make all writes to the file append, in each process that shares it, and answer its descriptor."""
    fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) | os.O_APPEND)
    return file


def punch_hole(file: int, start: int, end: int) -> int:
    """Give back the memory of the whole pages between two offsets, and answer the offset where the next hole begins.

    The file keeps its length, and the hole reads as NULs. Where the system cannot do that, the memory stays.
    """
    end -= end % mmap.PAGESIZE
    if end <= start:
        return start
    if sys.platform == "linux":
        mode, length = ctypes.c_int(_PUNCH_HOLE | _KEEP_SIZE), ctypes.c_long(end - start)
        ctypes.CDLL(None).fallocate(file, mode, ctypes.c_long(start), length)
    return end
