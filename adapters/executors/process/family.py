"""All that a child has started, wherever it has gone: found in /proc, by descent or by a mark in the environment.

A process that has cleared its environment is found only while the child lives, which adopts whatever loses its parent.
"""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

MARK = "FLASK_TASKS_CHILD"
"""A variable with which each child, and what it starts, can be told from everything else on the machine."""
_PROC = Path("/proc")


class Relative(NamedTuple):
    """A process that has not ended."""

    id: int
    parent: int
    is_marked: bool


def end_family(child: int, mark: str) -> None:
    """Kill all but the child itself. What these start in the meantime is killed as well."""
    ended: set[int] = set()
    while found := set(_family(child, mark)) - ended:
        ended |= found
        for process in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)


def _family(child: int, mark: str) -> Iterator[int]:
    processes = {each.id: each for each in _processes(f"{MARK}={mark}".encode())}
    for each in processes.values():
        if each.id != child and (each.is_marked or _descends(each, child, processes)):
            yield each.id


def _descends(process: Relative, child: int, processes: Mapping[int, Relative]) -> bool:
    while process.parent != child and process.parent in processes:
        process = processes[process.parent]
    return process.parent == child


def _processes(mark: bytes) -> Iterator[Relative]:
    for folder in _PROC.glob("[0-9]*"):
        with suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                yield Relative(int(folder.name), int(parent), mark in _environment(folder))


def _environment(folder: Path) -> list[bytes]:
    try:
        return (folder / "environ").read_bytes().split(b"\0")
    except OSError:  # of another user
        return []
