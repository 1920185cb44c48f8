"""Failures: why a start of a task did not succeed, and the error that its view shows."""

from dataclasses import dataclass

LOST = "Lost"
SET_ASIDE = "SetAside"
PARENT_FAILED = "ParentFailed"
MISSING_RESULT = "MissingResult"
TOO_LARGE = "TooLarge"
NO_ATTEMPT_LEFT = "it has had as many attempts as it may have"


@dataclass(frozen=True, slots=True)
class Error:
    """The error of the last attempt that failed or was lost, as the view of the task shows it."""

    type: str
    message: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt: the name of the exception, its message, and whether another attempt may help.

    `delay`: seconds that the function asked to wait before the next attempt; None leaves it to the backoff.
    `unfit`: no function began, since that of this handler does not take the arguments; that of another one may.
    """

    type: str
    message: str
    retriable: bool = True
    delay: float | None = None
    traceback: str | None = None
    unfit: bool = False
