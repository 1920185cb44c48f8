"""Count the tasks that match a filter, and bound them by the ids of that moment."""

from dataclasses import dataclass, replace
from datetime import datetime

from application.ports.clock import Clock
from application.ports.listing import Counts, Filter, Listing
from application.ports.unit_of_work import Begin
from domain.ids import TaskId
from domain.status import RULES, Verb

MAX_COUNTED_TASKS = 10_000
STEP_TASKS = 1_000
MAX_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class MatchingTasks:
    """The tasks that match at the moment `as_of`: their ids are below `before`.

    `number`: how many there are at least.
    `is_exact`: whether there are no more.
    """

    as_of: datetime
    before: TaskId
    number: int
    is_exact: bool


def counts_suffice(filter: Filter) -> bool:
    """Whether the counts by type and status are enough to know how many tasks match."""
    return filter == Filter(statuses=filter.statuses, type=filter.type)


def counted(filter: Filter, counts: Counts) -> int:
    """The number of tasks with the type and the statuses of the filter."""
    of_types = [of_type for type, of_type in counts.items() if filter.type in (None, type)]
    return sum(of_type.get(status, 0) for of_type in of_types for status in filter.statuses)


class CountMatching:
    """Counts matching tasks from whose status a verb may start.

    They are counted exactly where the counts by type and status suffice, otherwise up to a bound.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    def __call__(self, filter: Filter, verb: Verb) -> MatchingTasks:
        """The tasks of this moment: a task that finishes later is none of them."""
        as_of = self._clock.now()
        meant = replace(filter, statuses=filter.statuses & RULES[verb], as_of=as_of)
        with self._begin() as work:
            newest = work.listing.search(Filter(), None, 1).tasks
            before = TaskId(newest[0].id + 1 if newest else 1)
            if counts_suffice(filter):
                return MatchingTasks(as_of, before, counted(meant, work.listing.counts()), True)
            return MatchingTasks(as_of, before, *self._found(work.listing, meant, before))

    def _found(self, listing: Listing, filter: Filter, before: TaskId) -> tuple[int, bool]:
        number, ends = 0, self._clock.monotonic() + MAX_SECONDS
        next: TaskId | None = before
        while next is not None and number < MAX_COUNTED_TASKS and self._clock.monotonic() < ends:
            found = listing.search(filter, next, STEP_TASKS)
            number, next = number + len(found.tasks), found.next
        return number, next is None
