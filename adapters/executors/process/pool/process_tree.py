"""The processes that a child has started, found by descent in /proc.

Orphans stay within it: a living child adopts those of its descendants, and the handler adopts those of a dead child.
The latter are told from other processes by a limit that all descendants of the child inherit, with the environment
cleared or not. The look costs the same however many other processes there are.
"""

import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def kill_tree(child: int, mark: str) -> None:
    """Kill all of them, and what they start in the meantime, but not the child itself."""
    ended: set[int] = set()
    while found := {*_tree(child), *_orphans(child, mark)} - ended:
        ended |= found
        for process in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)


def reap_orphans(child: int, mark: str) -> None:
    """Reap those of its descendants that this process has adopted and that have ended."""
    for process in _own_orphans(child, mark):
        with suppress(ChildProcessError):
            os.waitpid(process, os.WNOHANG)


def _orphans(child: int, mark: str) -> Iterator[int]:
    for process in _own_orphans(child, mark):
        yield process
        yield from _tree(process)


def _own_orphans(child: int, mark: str) -> list[int]:
    return [each for each in _children(os.getpid()) if each != child and _limit(each) == int(mark, 16)]


def _limit(process: int) -> int:
    if sys.platform == "linux":
        with suppress(OSError):
            return resource.prlimit(process, resource.RLIMIT_RTTIME)[0]
    return -1


def _tree(process: int) -> Iterator[int]:
    for child in _children(process):
        yield child
        yield from _tree(child)


def _children(process: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{process}/task"):
            with suppress(OSError):
                found += map(int, Path(f"/proc/{process}/task/{thread}/children").read_text().split())
    return found
