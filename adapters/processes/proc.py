"""Processes by /proc. A name consists of the boot, the namespace of process ids, the process id and the start."""

import os
from contextlib import suppress
from typing import NamedTuple

BOOT = "/proc/sys/kernel/random/boot_id"
NAMESPACE = "/proc/self/ns/pid"
DEAD = frozenset("ZX")
"""The states of a process that has ended and was not waited for yet."""


class Name(NamedTuple):
    """The name of a process, unique among all machines and times. `start` is in clock ticks since the boot."""

    boot: str
    namespace: str
    id: str
    start: str


class ProcProcesses:
    """Implements application.ports.processes.Processes."""

    def __init__(self) -> None:
        self._namespace: tuple[str, str] | None = None

    def own(self) -> str | None:
        return name_of(os.getpid())

    def has_ended(self, process: str) -> bool:
        self._namespace = self._namespace or _own_namespace()  # Read once, as it is asked for each handler again.
        if self._namespace is None or len(parts := process.split()) != len(Name._fields):
            return False
        name = Name(*parts)
        return self._namespace == (name.boot, name.namespace) and _has_ended(name)


def name_of(process: int) -> str | None:
    """The name of a living process of this namespace; None if /proc does not show it."""
    namespace, found = _own_namespace(), _stat(str(process))
    return " ".join(Name(*namespace, str(process), found.start)) if namespace and found else None


def _own_namespace() -> tuple[str, str] | None:
    """The boot and the namespace of process ids of this process."""
    try:
        with open(BOOT) as file:
            return file.read().strip(), os.readlink(NAMESPACE)
    except OSError:
        return None


def _has_ended(name: Name) -> bool:
    try:
        os.kill(int(name.id), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it belongs to another user, and exists
    found = _stat(name.id)
    return found is not None and (found.state in DEAD or found.start != name.start)


class _Stat(NamedTuple):
    """The state of a process, and its start in clock ticks since the boot."""

    state: str
    start: str


def _stat(process: str) -> _Stat | None:
    with suppress(OSError), open(f"/proc/{process}/stat", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
        return _Stat(state=fields[0], start=fields[19])
    return None
