"""The machine: the abilities that some faults need, and the sentences for those that it lacks."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from glob import glob

NAMESPACES: Sequence[str] = ("unshare", "--pid", "--uts", "--mount-proc", "--fork", "--kill-child")
"""The command before another one that gives it namespaces of its own: of process ids, and of the host's name."""


@cache
def faketime_library() -> str | None:
    """The library of libfaketime for processes of one thread; None if it is not installed."""
    return next(iter(glob("/usr/lib/*/faketime/libfaketime.so.1") + glob("/usr/lib/faketime/libfaketime.so.1")), None)


def can_set_clocks() -> bool:
    """Whether the clock of single processes can be set."""
    return faketime_library() is not None


@cache
def can_mount() -> bool:
    """Whether a file system in memory can be mounted, and its size be changed."""
    return (
        sys.platform == "linux"
        and os.geteuid() == 0
        and _succeeds("unshare", "-m", "mount", "-t", "tmpfs", "t", "/mnt")
    )


@cache
def has_namespaces() -> bool:
    """Whether a process can be started in a namespace of process ids of its own."""
    return _succeeds(*NAMESPACES, "hostname", "namespace-1")


SKIPPED: Mapping[str, tuple[Callable[[], bool], str]] = {
    "set_clock_of_server": (can_set_clocks, "the clock of the database is not set: libfaketime is not installed"),
    "fill_disk_of_server": (can_mount, "the disk of the database is not filled: this user may mount nothing"),
}
"""The actions that not every machine allows: the check, and the sentence if it fails."""


def impossible_actions() -> frozenset[str]:
    """The actions that this machine does not allow."""
    return frozenset(action for action, (is_possible, _) in SKIPPED.items() if not is_possible())


def limits() -> Iterator[str]:
    """A sentence for everything that experiments leave out on this machine."""
    yield from (sentence for action, (_, sentence) in SKIPPED.items() if action in impossible_actions())
    if not has_namespaces():
        yield "all handlers share one namespace of process ids: this user may not unshare it"


def _succeeds(*command: str) -> bool:
    return shutil.which(command[0]) is not None and subprocess.run(command, capture_output=True).returncode == 0
