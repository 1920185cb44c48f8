"""Claim deliveries: reserve those that are due for one janitor, for LEASE_SECONDS."""

from collections.abc import Sequence

from application.conflict_retry import retry_on_conflict
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin
from domain.delivery import Delivery
from domain.instants import after

LEASE_SECONDS = 60.0
"""Seconds of a claim: longer than a receiver may take to answer, so that two janitors rarely send the same message."""


class ClaimDeliveries:
    """Claims due deliveries. The delivery of a janitor that died is due again at the end of its claim."""

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    @retry_on_conflict
    def __call__(self, limit: int) -> Sequence[Delivery]:
        """At most `limit` due deliveries, now claimed, the longest due first."""
        now = self._clock.now()
        with self._begin() as work:
            claimed = work.deliveries.claim(now, after(now, LEASE_SECONDS), limit)
            work.commit()
        return claimed
