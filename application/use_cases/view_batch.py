"""View a batch: its counts, and its first failures."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.errors import UnknownBatch
from application.ports.batches import BatchRecord
from application.ports.listing import FAILED, Filter
from application.ports.unit_of_work import Begin
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
            record = work.batches.get(id)
            if record is None:
                raise UnknownBatch(id)
            failures = work.listing.search_by_end(Filter(batch=id, statuses=FAILED), None, MAX_FAILURES)
        return BatchView(record, failures)
