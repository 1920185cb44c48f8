"""Why a start of a task did not succeed."""

from dataclasses import dataclass

LOST = "Lost"


@dataclass(frozen=True, slots=True)
class Error:
    """What the view of a task says of its last attempt that went wrong."""

    type: str
    message: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that went wrong: the name of the exception, its message, and whether another start may help.

    `delay` is the number of seconds that the function itself asked to wait; None leaves it to the backoff. `unfit` says
    that no function began: what this handler has does not take the arguments, what another has may.
    """

    type: str
    message: str
    retriable: bool = True
    delay: float | None = None
    traceback: str | None = None
    unfit: bool = False
