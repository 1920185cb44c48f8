"""Fold the counts of events: merge the entries of a minute, add old minutes up to totals, and forget the oldest."""

from datetime import datetime, timedelta
from math import inf

from application.conflict_retry import retry_on_conflict
from application.ports.clock import Clock
from application.ports.statistics import RETENTION
from application.ports.unit_of_work import Begin
from application.use_cases.fold_counts import BATCH_ENTRIES
from domain.instants import EPOCH

REST_SECONDS = 10.0
"""Seconds without folding after all was folded."""
MAX_TRANSACTION_AGE = timedelta(hours=1)
"""Age of transactions whose entries are still found: an entry has the minute in which its transaction began."""
ADDING_PERIOD = timedelta(minutes=10)
"""Time between two moments at which events are added up. They are added when no transaction stores any for a minute."""


class FoldEvents:
    """Folds the counts of events. Any number of janitors may do so at once. Used by one thread.

    It looks at all entries until they are folded, and from then on at those of the hour before that and later. Entries
    that are older than an hour are added up.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock
        self._due_at = -inf
        self._since: datetime | None = None
        self._added_until: datetime | None = None

    @retry_on_conflict
    def __call__(self, limit: int = BATCH_ENTRIES) -> int:
        """Merge one batch, delete one, and add one up. The size of the largest; a full one may be followed by another.

        Does nothing while it rests.
        """
        if self._clock.monotonic() < self._due_at:
            return 0
        now = self._clock.now()
        has_more = self._add_up(now - MAX_TRANSACTION_AGE)
        with self._begin() as work:
            folded = work.statistics.fold(self._since or now - RETENTION, limit)
            forgotten = work.statistics.forget(now - RETENTION, limit)
            work.commit()
        if folded < limit:
            self._since = now - MAX_TRANSACTION_AGE
        largest = limit if has_more else max(folded, forgotten)
        if largest < limit:
            self._due_at = self._clock.monotonic() + REST_SECONDS
        return largest

    def _add_up(self, before: datetime) -> bool:
        """Add up one batch, if there is anything to add. Whether there is more."""
        until = before - (before - EPOCH) % ADDING_PERIOD
        if until == self._added_until:
            return False
        with self._begin() as work:
            has_more = work.statistics.add_up(until)
            work.commit()
        if not has_more:
            self._added_until = until
        return has_more
