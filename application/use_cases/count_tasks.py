"""Count the tasks by type and status."""

from application.ports.listing import Counts
from application.ports.unit_of_work import Begin


class CountTasks:
    """Counts the tasks, as fast with millions of them as with a few."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    def __call__(self) -> Counts:
        """The number of tasks by type and status."""
        with self._begin() as work:
            return work.listing.counts()
