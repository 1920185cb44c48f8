"""The options of a task, and the limits of each."""

from dataclasses import dataclass, fields
from math import isfinite

from domain.callback import check_address
from domain.errors import InvalidOption

MIN_PRIORITY, MAX_PRIORITY = -100, 100
MAX_STARTS = 10_000
MAX_TIMEOUT_SECONDS = 10 * 365 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options with which a task is run.

    `timeout`: seconds that an attempt may take; None is no limit.
    `callback`: the address to which a message is sent when the task has finished; None is no message.
    """

    priority: int = 0
    max_attempts: int = 1
    max_losses: int = 3
    timeout: float | None = None
    callback: str | None = None

    def __post_init__(self) -> None:
        _check("priority", self.priority, MIN_PRIORITY, MAX_PRIORITY)
        _check("max_attempts", self.max_attempts, 1, MAX_STARTS)
        _check("max_losses", self.max_losses, 0, MAX_STARTS)
        if self.timeout is not None and not (isfinite(self.timeout) and 0 < self.timeout <= MAX_TIMEOUT_SECONDS):
            raise InvalidOption(
                "timeout", self.timeout, f"a number of seconds, more than 0 and at most {MAX_TIMEOUT_SECONDS}"
            )
        check_address(self.callback)


OPTION_NAMES = tuple(field.name for field in fields(Options))


def _check(option: str, value: int, minimum: int, maximum: int) -> None:
    if not minimum <= value <= maximum:
        raise InvalidOption(option, value, f"a whole number from {minimum} to {maximum}")
