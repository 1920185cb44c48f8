"""The processes that a child has started: found in /proc, by descent or by a mark in the environment.

A process that has cleared its environment is found only while the child lives, which adopts orphans.
"""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

CHILD_VARIABLE = "FLASK_TASKS_CHILD"
"""The environment variable with the mark of a child, which the processes that it starts inherit."""
MAX_ENVIRONMENT_BYTES = 32 * 1024
"""Bytes of an environment that are searched for the variable, which stands at the beginning."""


class ProcessEntry(NamedTuple):
    """A process that has not ended."""

    id: int
    parent: int
    is_marked: bool


def kill_tree(child: int, mark: str) -> None:
    """Kill all of them, and what they start in the meantime, but not the child itself."""
    ended: set[int] = set()
    while found := set(_tree(child, mark)) - ended:
        ended |= found
        for process in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)


def _tree(child: int, mark: str) -> Iterator[int]:
    processes = {each.id: each for each in _processes(f"{CHILD_VARIABLE}={mark}".encode())}
    for each in processes.values():
        if each.id != child and (each.is_marked or _descends(each, child, processes)):
            yield each.id


def _descends(process: ProcessEntry, child: int, processes: Mapping[int, ProcessEntry]) -> bool:
    while process.parent != child and process.parent in processes:
        process = processes[process.parent]
    return process.parent == child


def _processes(mark: bytes) -> Iterator[ProcessEntry]:
    for process in filter(str.isdigit, os.listdir("/proc") if os.path.isdir("/proc") else ()):
        state, parent = _content(f"/proc/{process}/stat").rpartition(b")")[2].split()[:2] or (b"Z", b"0")
        if state != b"Z":
            yield ProcessEntry(int(process), int(parent), mark in _content(f"/proc/{process}/environ"))


def _content(path: str) -> bytes:
    """The content of a file in /proc; nothing if the process has ended, or is another user's."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(file, MAX_ENVIRONMENT_BYTES)
    except OSError:
        return b""
    finally:
        os.close(file)
