"""A run that was handed to a child."""

from dataclasses import dataclass

from application.ports.executor import Run
from domain.failure import Failure


@dataclass(slots=True, eq=False)
class DispatchedRun:
    """A run under a number of its own, which rises with each run that is handed to any child.

    - `seconds`: how long it is expected to take.
    - `has_begun`: the child has come to it, as far as is known.
    - `is_attentive`: its function can see that it should stop.
    - `is_last`: its child runs nothing after it.
    - `ended`: the failure that it was stopped with, if it was stopped.
    - `handed_at`: when it was handed over, in seconds of the supervisor's monotonic clock.
    - `is_interrupted`: its process was ended through no fault of its own.
    - `log`: the end of its output, once that is known.
    - `leftover`: why its child runs nothing after it, if its function is the reason.
    - `notice`: the line about that in its log, if its type has not had it yet.
    """

    number: int
    run: Run
    seconds: float
    has_begun: bool = False
    is_attentive: bool = False
    is_last: bool = False
    is_interrupted: bool = False
    handed_at: float = 0.0
    ended: Failure | None = None
    log: str = ""
    leftover: str = ""
    notice: str = ""
