"""The order in which the system kills processes when it runs out of memory."""

from contextlib import suppress

OOM_SCORE_FILE = "/proc/self/oom_score_adj"
MAX_OOM_SCORE = "1000"


def prefer_for_oom_kill() -> None:
    """From now on have this process killed before any other, and the programs that it starts likewise."""
    with suppress(OSError), open(OOM_SCORE_FILE, "w") as file:
        file.write(MAX_OOM_SCORE)
