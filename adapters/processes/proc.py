"""What /proc says of processes: a name is the boot of the machine, the namespace of process ids, the id, the start."""

import os
from contextlib import suppress
from typing import NamedTuple

BOOT = "/proc/sys/kernel/random/boot_id"
NAMESPACE = "/proc/self/ns/pid"
DEAD = frozenset("ZX")
"""The states of a process that has ended, and that nobody has waited for yet."""


class Name(NamedTuple):
    """A process of all times and machines. `start` is in ticks since the boot."""

    boot: str
    namespace: str
    id: str
    start: str


class ProcProcesses:
    """Implements application.ports.processes.Processes."""

    def own(self) -> str | None:
        return name_of(os.getpid())

    def has_ended(self, process: str) -> bool:
        place = _place()
        if place is None or len(parts := process.split()) != len(Name._fields):
            return False
        name = Name(*parts)
        return place == (name.boot, name.namespace) and _has_ended(name)


def name_of(process: int) -> str | None:
    """The name of a living process of this namespace."""
    place, found = _place(), _stat(str(process))
    return " ".join(Name(*place, str(process), found[1])) if place and found else None


def _place() -> tuple[str, str] | None:
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
        pass  # somebody else's, and alive
    found = _stat(name.id)
    return found is not None and (found[0] in DEAD or found[1] != name.start)


def _stat(process: str) -> tuple[str, str] | None:
    """The state of a process, and when it started."""
    with suppress(OSError), open(f"/proc/{process}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
        return fields[0], fields[19]
    return None
