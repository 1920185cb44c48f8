"""A run that was handed to a child."""

from dataclasses import dataclass

from application.ports.executor import Run
from domain.failure import Failure


@dataclass(slots=True, eq=False)
class DispatchedRun:
    """Its number, and the seconds that it is expected to take. `ended` is what it was stopped with, if it was.

    `log` is what it has printed, as soon as that is known.
    """

    number: int
    run: Run
    seconds: float
    has_begun: bool = False
    is_attentive: bool = False
    ended: Failure | None = None
    log: str = ""
