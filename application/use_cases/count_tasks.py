"""Count the tasks by type and status."""

from application.ports.listing import Counts, CountsOfTerms
from application.ports.unit_of_work import Begin

MAX_COUNTED_TASKS = 100_000
"""Tasks that are looked at where those with some search terms are counted: a second of work for the database."""


class CountTasks:
    """Counts the tasks, as fast with millions of them as with a few."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    def __call__(self) -> Counts:
        """The number of tasks by type and status."""
        with self._begin() as work:
            return work.listing.counts()

    def of(self, terms: frozenset[int]) -> CountsOfTerms:
        """The same of the tasks that have all these search terms, among the newest MAX_COUNTED_TASKS."""
        with self._begin() as work:
            return work.listing.counts_of(terms, MAX_COUNTED_TASKS)
