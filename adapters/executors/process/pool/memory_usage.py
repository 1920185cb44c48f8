"""Memory of a process and of the processes that it has started, where /proc shows it."""

import os
from collections.abc import Iterator
from contextlib import suppress

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def is_above(process: int, limit: int) -> bool:
    """Whether the process and its descendants use more than `limit` bytes. Memory that they share counts once."""
    # The exact sum takes milliseconds where there is much memory: it is read only if the cheap estimate is too high.
    return resident(process) > limit and sum(map(_share, _tree(process))) > limit


def resident(process: int) -> int:
    """Bytes in memory. Shared ones count once for each process; 0 if it has ended, or where /proc does not show it."""
    return sum(map(_resident, _tree(process)))


def _tree(process: int) -> Iterator[int]:
    yield process
    for thread in _names(f"/proc/{process}/task"):
        for child in _content(f"/proc/{process}/task/{thread}/children").split():
            yield from _tree(int(child))


def _resident(process: int) -> int:
    fields = _content(f"/proc/{process}/statm").split()
    return int(fields[1]) * PAGE_BYTES if fields else 0


def _share(process: int) -> int:
    """Bytes of its own, and its part of those that it shares with others."""
    for line in _content(f"/proc/{process}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return _resident(process)


def _names(folder: str) -> list[str]:
    with suppress(OSError):
        return os.listdir(folder)
    return []


def _content(path: str) -> str:
    with suppress(OSError), open(path, errors="replace") as file:
        return file.read()
    return ""
