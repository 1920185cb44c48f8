"""Deliveries: the messages of finished tasks and batches to their callback addresses."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.delivery import Delivery


class Deliveries(Protocol):
    """One delivery for each task or batch with a callback, from its finish until it is retried or deleted."""

    def claim(self, now: datetime, until: datetime, limit: int) -> Sequence[Delivery]:
        """Claim deliveries, those of batches first, since these are few, and of each kind the longest due first.

        Before: due and not locked. After: due again at `until`, with one more attempt.
        """
        ...

    def settle(self, delivery: Delivery) -> bool:
        """Before: under the same claim. After: as given. False, and no change, if the claim is another by now."""
        ...
