"""The limits of a type: how many of its tasks run at once, how many start in a second, and in whose turn."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil, inf
from typing import Any

from domain.errors import InvalidOption
from domain.rate import MAX_BURST, MAX_PER_SECOND, MIN_PER_SECOND, Rate

MAX_AT_ONCE = 1_000_000
MAX_LANE_CHARACTERS = 200
OR_NULL = ", or null for no limit"
"""The end of the sentence that says what a limit can be."""
DEFAULT_BURST_SECONDS = 0.2
"""Seconds whose starts may come together where no burst is given: a claim that comes a little late loses none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of a type. None stands for no limit.

    - `at_once`: tasks that may run at the same time. 0 starts none.
    - `per_second`: starts in a second, those of retries included.
    - `burst`: starts that may come together after a pause; None for those of DEFAULT_BURST_SECONDS, at least one.
    - `lane`: name of the argument whose value is the lane of a task. Lanes of one priority take turns.
    - `at_once_per_lane`: tasks of one lane that may run at the same time.
    - `paused`: whether no task may start.
    - `accepting`: whether tasks may be submitted.
    """

    at_once: int | None = None
    per_second: float | None = None
    burst: int | None = None
    lane: str | None = None
    at_once_per_lane: int | None = None
    paused: bool = False
    accepting: bool = True

    def __post_init__(self) -> None:
        _check_whole("at_once", self.at_once, 0, MAX_AT_ONCE)
        _check_whole("burst", self.burst, 1, MAX_BURST)
        _check_whole("at_once_per_lane", self.at_once_per_lane, 1, MAX_AT_ONCE)
        _check_per_second(self.per_second)
        _check_lane(self.lane)
        for switch in ("paused", "accepting"):
            if not isinstance(value := getattr(self, switch), bool):
                raise InvalidOption(switch, value, "true or false")

    @property
    def is_paused(self) -> bool:
        """Whether no task may start, whatever runs."""
        return self.paused or self.at_once == 0

    @property
    def rate(self) -> Rate | None:
        """The limit of starts; None if there is none."""
        if self.per_second is None:
            return None
        burst = max(1, ceil(self.per_second * DEFAULT_BURST_SECONDS)) if self.burst is None else self.burst
        return Rate(self.per_second, burst)

    def places(self, running: int) -> float:
        """How many more tasks may run at once while so many run; inf without a limit."""
        if self.paused:
            return 0
        return inf if self.at_once is None else max(self.at_once - running, 0)

    def places_in_lane(self, running: int) -> float:
        """The same of one lane, of which so many tasks run."""
        return inf if self.at_once_per_lane is None else max(self.at_once_per_lane - running, 0)


DECLARABLE = ("at_once", "per_second", "burst", "lane", "at_once_per_lane")
"""The limits that a function may declare."""
OVERRIDABLE = ("at_once", "per_second", "burst", "at_once_per_lane", "paused", "accepting")
"""The limits that an operator may set in place of those. A lane is known when a task is submitted."""


@dataclass(frozen=True, slots=True)
class Override:
    """Limits that an operator has set in place of the declared ones, by name. None lifts a limit.

    Raises InvalidOption: there is no such limit, or it cannot have this value.
    """

    limits: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.limits.items():
            if name not in OVERRIDABLE:
                raise InvalidOption(name, value, f"absent: the limits that can be set are {', '.join(OVERRIDABLE)}")
        self.over(NO_LIMITS)

    def over(self, declared: Limits) -> Limits:
        """The limits that hold where these are declared."""
        return replace(declared, **self.limits) if self.limits else declared


def declared(limits: Limits) -> Mapping[str, Any]:
    """The limits that a function has declared, by name, without those that it has not."""
    return {name: value for name in DECLARABLE if (value := getattr(limits, name)) is not None}


def _check_whole(limit: str, value: Any, minimum: int, maximum: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
        raise InvalidOption(limit, value, f"a whole number from {minimum} to {maximum}{OR_NULL}")


def _check_lane(value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_LANE_CHARACTERS:
        raise InvalidOption("lane", value, f"the name of an argument, of 1 to {MAX_LANE_CHARACTERS} characters")


def _check_per_second(value: Any) -> None:
    if value is None:
        return
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # No bound holds for nan, and any whole number can be compared, however long it is.
    if not is_number or not MIN_PER_SECOND <= value <= MAX_PER_SECOND:
        raise InvalidOption("per_second", value, f"a number from {MIN_PER_SECOND:g} to {MAX_PER_SECOND:g}{OR_NULL}")


NO_LIMITS = Limits()
