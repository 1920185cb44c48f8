"""What a process and those that it has started have in memory, where /proc shows it."""

import os
from collections.abc import Iterator
from contextlib import suppress

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def is_above(process: int, most: int) -> bool:
    """Whether they have more than so many bytes, what they share counted once."""
    # The exact sum takes the system milliseconds where there is much of it. So it is asked for only where it matters.
    return resident(process) > most and sum(map(_share, _tree(process))) > most


def resident(process: int) -> int:
    """Bytes, counted again for each that shares them; 0 if it has ended, or where nothing shows it."""
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
    """What it has for itself, and its part of what it shares with others."""
    for line in _content(f"/proc/{process}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return _resident(process)


def _names(folder: str) -> list[str]:
    with suppress(OSError):
        return os.listdir(folder)
    return []


def _content(path: str) -> str:
    with suppress(OSError), open(path) as file:
        return file.read()
    return ""
