"""Fold the counts: merge the entries of many changes into one, so that counting stays quick."""

from application.conflict_retry import retry_on_conflict
from application.ports.unit_of_work import Begin

BATCH_ENTRIES = 10_000


class FoldCounts:
    """Folds the counts. Any number of janitors may do so at once, and while tasks are counted."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    @retry_on_conflict
    def __call__(self, limit: int = BATCH_ENTRIES) -> int:
        """Merge one batch. The number of merged entries; after a full batch there may be more to merge."""
        with self._begin() as work:
            folded = work.cleaning.fold_counts(limit)
            work.commit()
        return folded
