"""Numbers that all workers of an API count up together: each has cells of its own, and any of them reads the sums.

The cells are in a file in memory. A worker locks a row of it for as long as it lives, so that one that replaces a dead
worker goes on with its numbers. Nothing is lost, nothing is counted twice, and no worker waits for another.
"""

import fcntl
import mmap
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

CELLS = 8192
"""Numbers of one worker."""
ROW_BYTES = 8 * CELLS
SPARE_ROWS = 4
"""Rows beyond the number of workers, for those that start while others end."""


class RequestCounts:
    """The numbers of one process alone, or of all that were made with the same file. Thread-safe.

    Where the file cannot be used or has no free row, the numbers are those of this process.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock = Lock()
        self._all, self._file = _opened(path)
        row = _locked_row(self._file, len(self._all) // ROW_BYTES) if self._file is not None else 0
        if row is None:
            self._all, row = _private(), 0
        self._cells = self._all[row * ROW_BYTES : (row + 1) * ROW_BYTES].cast("Q")

    def add(self, cell: int) -> None:
        """Count one."""
        with self._lock:
            self._cells[cell] += 1

    def sums(self) -> Sequence[int]:
        """The number of each cell, of all processes together."""
        rows = (self._all[start : start + ROW_BYTES].cast("Q") for start in range(0, len(self._all), ROW_BYTES))
        return [sum(of_cell) for of_cell in zip(*rows, strict=True)]


def new_file(workers: int) -> Path | None:
    """Make a file for so many workers; None where one is alone, or no file can be made."""
    if workers == 1:
        return None
    try:
        descriptor, path = tempfile.mkstemp(prefix="flask-tasks-requests-")
    except OSError:
        return None
    os.ftruncate(descriptor, (workers + SPARE_ROWS) * ROW_BYTES)
    os.close(descriptor)
    return Path(path)


def _private() -> memoryview:
    return memoryview(bytearray(ROW_BYTES))


def _opened(path: Path | None) -> tuple[memoryview, int | None]:
    if path is None:
        return _private(), None
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        return memoryview(mmap.mmap(file, 0)), file
    except OSError:
        return _private(), None


def _locked_row(file: int, rows: int) -> int | None:
    """Lock the first free row until this process ends. None if all are taken."""
    for row in range(rows):
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, row)
            return row
        except OSError:
            continue
    return None
