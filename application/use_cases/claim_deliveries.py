"""Claim deliveries: take out what is due to be told, for a while in which nobody else does."""

from collections.abc import Sequence

from application.conflict_retry import retry_on_conflict
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin
from domain.delivery import Delivery
from domain.instants import after

LEASE_SECONDS = 60.0
"""Seconds: longer than any address may take to answer, so that two who try are a rare thing."""


class ClaimDeliveries:
    """Whoever dies with one in hand loses nothing: it is due again when its time is over."""

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    @retry_on_conflict
    def __call__(self, limit: int) -> Sequence[Delivery]:
        """What is due, the longest first, at most `limit`."""
        now = self._clock.now()
        with self._begin() as work:
            claimed = work.deliveries.claim(now, after(now, LEASE_SECONDS), limit)
            work.commit()
        return claimed
