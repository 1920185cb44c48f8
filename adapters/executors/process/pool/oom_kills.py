"""Whom the system ends when it runs out of memory, and how one knows afterwards that it did."""

from contextlib import suppress

COUNTERS = (
    "/sys/fs/cgroup/memory.events",
    "/sys/fs/cgroup/memory/memory.oom_control",
    "/proc/vmstat",
)
"""Where it says how many it has ended: in this container, by either version of cgroups, or on the whole machine."""
SCORE = "/proc/self/oom_score_adj"
FIRST = "1000"


def be_the_first_to_go() -> None:
    """From now on this process is ended before any other, with what it will start."""
    with suppress(OSError), open(SCORE, "w") as file:
        file.write(FIRST)


def ended_for_memory() -> int | None:
    """How many processes were ended because there was no memory left; None where nobody counts them."""
    for counter in COUNTERS:
        with suppress(OSError), open(counter) as file:
            for line in file:
                name, _, number = line.partition(" ")
                if name == "oom_kill":
                    return int(number)
    return None
