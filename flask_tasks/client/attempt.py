"""An entry in the log of a task."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A start that failed, was lost or printed something. Times are in Unix seconds."""

    claim: int
    attempt: int
    outcome: str
    started: float | None
    ended: float
    error: str | None
    traceback: str | None
    log: str
