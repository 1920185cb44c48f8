"""Count of the processes that the system has killed because it ran out of memory."""

from contextlib import suppress

COUNTERS = (
    "/sys/fs/cgroup/memory.events",
    "/sys/fs/cgroup/memory/memory.oom_control",
    "/proc/vmstat",
)
"""Files with the count: of this container, by either version of cgroups, or of the whole machine."""


def oom_kills() -> int | None:
    """How many processes have been killed so far; None where no file has the count."""
    for counter in COUNTERS:
        with suppress(OSError), open(counter) as file:
            for line in file:
                name, _, number = line.partition(" ")
                if name == "oom_kill":
                    return int(number)
    return None
