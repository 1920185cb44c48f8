"""View a batch: its counts, and its first failures."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.errors import UnknownBatch
from application.ports.batches import BatchRecord
from application.ports.unit_of_work import Begin, UnitOfWork
from domain.ids import BatchId
from domain.task import Task

MAX_FAILURES = 5


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch with its counts, and the first of its tasks that have failed, by their ends."""

    record: BatchRecord
    failures: Sequence[Task]


class ViewBatch:
    """Views one batch. Raises UnknownBatch: the batch does not exist."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    def __call__(self, id: BatchId) -> BatchView:
        """The present view."""
        with self._begin() as work:
            view = view_of(work, id)
        if view is None:
            raise UnknownBatch(id)
        return view


def view_of(work: UnitOfWork, id: BatchId) -> BatchView | None:
    """The view of a batch; None if it does not exist."""
    record = work.batches.get(id)
    if record is None:
        return None
    return BatchView(record, work.listing.first_failures(id, MAX_FAILURES))
