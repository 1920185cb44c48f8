"""Limits of a type in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from application.ports.limits import TypeLimits
from application.ports.published_types import PublishedType
from domain.limits import Limits
from domain.waiting import WaitingFor
from entrypoints.http.pages.formats import number

SHOWN = ("at_once", "per_second", "burst", "at_once_per_lane")
"""The limits that a page shows and sets as numbers."""
MIN_SHOWN_WAIT = timedelta(seconds=1)
"""Time before the next start from which on it is shown: a shorter one is over before it is read."""
UNITS = (("second", "s", 1), ("minute", "min", 60), ("hour", "h", 3_600), ("day", "d", 86_400))
"""Word, sign and seconds of the units of rates."""
ALMOST_ONE = 0.9995
MIN_GROUPED = 1000
WAITS_FOR_TYPE: Mapping[WaitingFor, str] = {
    WaitingFor.PAUSED: "the type is paused",
    WaitingFor.LIMIT: "as many of the type run as may",
    WaitingFor.RATE: "the rate of the type",
}
"""Words for the limits that a task waits for."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a limit: its function, an operator, or neither. `declared`: the value that its function has."""

    is_set: bool
    declared: float | None

    def __str__(self) -> str:
        if not self.is_set:
            return "by default" if self.declared is None else "declared by the function"
        instead = "" if self.declared is None else f" in place of {plain(self.declared)}, which the function declares"
        return f"set by an operator{instead}"


@dataclass(frozen=True, slots=True)
class ShownLimits:
    """The limits of a published type at a moment."""

    published: PublishedType
    now: datetime

    @property
    def holding(self) -> Limits:
        """The limits that hold."""
        return self.published.limits.limits

    @property
    def origins(self) -> Mapping[str, Origin]:
        """The origin of each limit that is shown."""
        chosen = set_by_operator(self.published)
        declared = self.published.type.limits
        return {name: Origin(name in chosen, getattr(declared, name)) for name in SHOWN}

    @property
    def lifted(self) -> Sequence[str]:
        """The limits that the function declares and an operator has lifted. A burst is none without a rate."""
        declared, holding = self.published.type.limits, self.holding
        names = [name for name in shown_of(self.published) if name != "burst"]
        return [name for name in names if getattr(declared, name) is not None and getattr(holding, name) is None]

    @property
    def rate(self) -> str:
        """The limit of starts in words; nothing without one."""
        return "" if self.holding.per_second is None else rate_in_words(self.holding.per_second)

    @property
    def next_start(self) -> datetime | None:
        """The time of the next start that the rate allows, unless that is about to come."""
        rate, regular = self.holding.rate, self.published.limits.next_start
        if rate is None or regular is None:
            return None
        first = rate.within_reach(regular, self.now) - timedelta(seconds=(rate.burst - 1) / rate.per_second)
        return first if first - self.now >= MIN_SHOWN_WAIT else None


def shown_of(published: PublishedType) -> Sequence[str]:
    """The limits of the type that are shown: that of a lane only if its tasks have lanes."""
    return [name for name in SHOWN if name != "at_once_per_lane" or published.limits.limits.lane]


def set_by_operator(published: PublishedType) -> Mapping[str, Any]:
    """The limits that an operator has set, by name."""
    override = published.limits.override
    return override.limits if override else {}


def halts(published: PublishedType | None) -> Sequence[str]:
    """Words for what an operator has stopped of a type."""
    limits = published.limits.limits if published else Limits()
    stopped = {"paused": limits.is_paused, "not accepting": not limits.accepting}
    return [word for word, is_so in stopped.items() if is_so]


def in_short(limits: TypeLimits) -> str:
    """The numbers of the limits that hold, as in `3/4, 10/s`; nothing without any."""
    holding = limits.limits
    at_once = [] if holding.at_once is None else [f"{number(limits.running)}/{number(holding.at_once)}"]
    rate = [] if holding.per_second is None else [rate_in_short(holding.per_second)]
    return ", ".join(at_once + rate)


def in_words(limits: Limits) -> str:
    """The limits in words, as in `4 at once, 10 a second`; nothing without any."""
    at_once = [] if limits.at_once is None else [f"{number(limits.at_once)} at once"]
    rate = [] if limits.per_second is None else [rate_in_words(limits.per_second)]
    has_lanes = limits.lane is not None and limits.at_once_per_lane is not None
    of_lane = [f"{number(limits.at_once_per_lane or 0)} of a lane at once"] if has_lanes else []
    return ", ".join(at_once + rate + of_lane)


def rate_in_words(per_second: float) -> str:
    """A rate as in `10 a second` or `6 a minute`."""
    amount, word, _ = _in_unit(per_second)
    return f"{amount} {'an' if word == 'hour' else 'a'} {word}"


def rate_in_short(per_second: float) -> str:
    """A rate as in `10/s` or `6/min`."""
    amount, _, sign = _in_unit(per_second)
    return f"{amount}/{sign}"


def plain(value: float) -> str:
    """A number as it is typed into a field."""
    return f"{value:.15g}"


def _in_unit(per_second: float) -> tuple[str, str, str]:
    """The amount in the shortest unit in which it is at least one, with the word and the sign of the unit."""
    word, sign, seconds = next((unit for unit in UNITS if per_second * unit[2] >= ALMOST_ONE), UNITS[-1])
    amount = per_second * seconds
    return number(round(amount)) if amount >= MIN_GROUPED else f"{amount:.4g}", word, sign
