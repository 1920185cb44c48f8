"""Whom the system ends when it runs out of memory, and how one knows afterwards that it did."""

from contextlib import suppress

COUNTERS = (
    "/sys/fs/cgroup/memory.events",
    "/sys/fs/cgroup/memory/memory.oom_control",
    "/proc/vmstat",
)
"""Where it says how many it has ended: in this container, by either version of cgroups, or on the whole machine."""
OOM_SCORE_FILE = "/proc/self/oom_score_adj"
MAX_OOM_SCORE = "1000"


def prefer_for_oom_kill() -> None:
    """From now on this process is ended before any other, with what it will start."""
    with suppress(OSError), open(OOM_SCORE_FILE, "w") as file:
        file.write(MAX_OOM_SCORE)


def oom_kills() -> int | None:
    """How many processes were ended because there was no memory left; None where nobody counts them."""
    for counter in COUNTERS:
        with suppress(OSError), open(counter) as file:
            for line in file:
                name, _, number = line.partition(" ")
                if name == "oom_kill":
                    return int(number)
    return None
