"""Fold the counts of events: merge the entries of many statements into one a minute, and forget the oldest."""

from datetime import datetime, timedelta
from math import inf

from application.conflict_retry import retry_on_conflict
from application.ports.clock import Clock
from application.ports.statistics import RETENTION
from application.ports.unit_of_work import Begin
from application.use_cases.fold_counts import BATCH_ENTRIES

REST_SECONDS = 10.0
"""Seconds without folding after all was folded."""
MAX_TRANSACTION_AGE = timedelta(hours=1)
"""Age of transactions whose entries are still found: an entry has the minute in which its transaction began."""


class FoldEvents:
    """Folds the counts of events. Any number of janitors may do so at once. Used by one thread.

    It looks at all entries until they are folded, and from then on at those of the hour before that and later.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock
        self._due_at = -inf
        self._since: datetime | None = None

    @retry_on_conflict
    def __call__(self, limit: int = BATCH_ENTRIES) -> int:
        """Merge one batch and delete one. The size of the larger; after a full batch there may be more to do.

        Does nothing while it rests.
        """
        if self._clock.monotonic() < self._due_at:
            return 0
        now = self._clock.now()
        with self._begin() as work:
            folded = work.statistics.fold(self._since or now - RETENTION, limit)
            forgotten = work.statistics.forget(now - RETENTION, limit)
            work.commit()
        if folded < limit:
            self._since = now - MAX_TRANSACTION_AGE
        if max(folded, forgotten) < limit:
            self._due_at = self._clock.monotonic() + REST_SECONDS
        return max(folded, forgotten)
