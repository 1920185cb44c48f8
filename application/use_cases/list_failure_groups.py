"""List the groups of failed tasks whose errors differ in numbers alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from application.cached import Cached
from application.ports.clock import Clock
from application.ports.listing import FailureGroup
from application.ports.unit_of_work import Begin

MAX_GROUPS = 500
"""Groups that are listed: the largest ones."""
MAX_AGE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class FailureGroups:
    """The groups as they were at a moment, the largest first.

    `is_cut`: whether there are more of them.
    """

    groups: Sequence[FailureGroup]
    at: datetime
    is_cut: bool


class ListFailureGroups:
    """Lists the groups, counted at most once in a while: their number is small, but that of their tasks is not."""

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock
        self._cached = Cached(self._read, clock, MAX_AGE_SECONDS)

    def __call__(self) -> FailureGroups:
        """The groups as they were some seconds ago at most, or earlier where counting them is slow."""
        return self._cached()

    def _read(self) -> FailureGroups:
        at = self._clock.now()
        with self._begin() as work:
            groups = work.listing.failure_groups(MAX_GROUPS + 1)
        return FailureGroups(groups[:MAX_GROUPS], at, len(groups) > MAX_GROUPS)
