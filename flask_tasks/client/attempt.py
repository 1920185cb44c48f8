"""An entry in the log of a task."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A start that failed, was lost or printed something. Times are in Unix seconds.

    `outcome` is `running`, and `ended` is None, while it goes on.
    """

    claim: int
    attempt: int
    outcome: str
    started: float | None
    ended: float | None
    error: str | None
    traceback: str | None
    log: str
