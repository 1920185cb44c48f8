"""Fold the counts: what many changes have left behind becomes one entry, so that counting stays quick."""

from application.conflict_retry import retry_on_conflict
from application.ports.unit_of_work import Begin

BATCH_ENTRIES = 10_000


class FoldCounts:
    """Beside any number of others, and beside all that is counted meanwhile."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    @retry_on_conflict
    def __call__(self, limit: int = BATCH_ENTRIES) -> int:
        """How many entries went into others; one batch. A full one says that there may be more."""
        with self._begin() as work:
            folded = work.cleaning.fold_counts(limit)
            work.commit()
        return folded
