"""List batches, newest first, one page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.ports.batches import BatchRecord
from application.ports.unit_of_work import Begin
from domain.ids import BatchId, Owner


@dataclass(frozen=True, slots=True)
class BatchPage:
    """Batches with their counts, and the `before` of the next page; None if no batch follows."""

    records: Sequence[BatchRecord]
    next: BatchId | None


class ListBatches:
    """Lists batches."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    def __call__(self, before: BatchId | None, limit: int, owner: Owner | None = None) -> BatchPage:
        """One page: at most `limit` batches with ids below `before`, and of this owner, if they are given."""
        with self._begin() as work:
            found = work.batches.search(before, limit + 1, owner)
        shown = found[:limit]
        return BatchPage(shown, shown[-1].batch.id if len(found) > limit else None)
