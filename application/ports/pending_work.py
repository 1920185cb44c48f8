"""Pending work: what a process that has nothing to do asks again and again."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from application.ports.monitoring import DrainRequest
from domain.ids import BatchId, HandlerId


class PendingWork(Protocol):
    """Tells whether a unit of work would find anything to do. Each question is one round trip, and locks nothing.

    Raises StorageUnavailable from any method: the storage is away.
    """

    def has_expired(self, now: datetime) -> bool:
        """Whether there are tasks that Cleaning.delete_expired deletes, or that it skips or is told to leave out."""
        ...

    def has_batch_work(self, now: datetime) -> bool:
        """Whether BatchRepository.fold has anything to fold, or BatchRepository.due returns any batch."""
        ...

    def finished_batches(self, ids: Collection[BatchId]) -> Collection[BatchId]:
        """Return those of the batches that are ready to finish."""
        ...

    def has_changed_parents(self) -> bool:
        """Whether DependencyRepository.take_undecided has anything to look at, or would skip it."""
        ...

    def next_schedule_work(self, now: datetime) -> datetime | None:
        """The first tick of the recurrences that are not abandoned; None if there is none.

        It is `now` or earlier where a tick is due, or where Schedules.review would change a recurrence.
        """
        ...

    def drain_request(self, handler: HandlerId) -> DrainRequest | None:
        """Return how this handler was asked to stop; None if it was not, or is unknown."""
        ...

    def processes(self) -> Mapping[HandlerId, str]:
        """The names of the processes of all known handlers that have published one, alive or dead."""
        ...
