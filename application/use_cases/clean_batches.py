"""Clean batches: delete finished ones that have expired, and of which no task is left."""

from application.conflict_retry import retry_on_conflict
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin

BATCHES = 1_000
"""Batches that are looked at in one transaction."""


class CleanBatches:
    """Deletes expired batches. Skips locked ones, so it never waits for one."""

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    @retry_on_conflict
    def __call__(self) -> int:
        """Look at some batches. Their number; after BATCHES there may be more."""
        with self._begin() as work:
            looked_at = work.batches.delete_expired(self._clock.now(), BATCHES)
            work.commit()
        return looked_at
