"""Deliveries: which addresses are still to be told that a task has finished."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.delivery import Delivery


class Deliveries(Protocol):
    """One a task with a callback, from its finish on, whoever finishes it, until it is retried or gone."""

    def claim(self, now: datetime, until: datetime, limit: int) -> Sequence[Delivery]:
        """Before: due and not locked. After: due again at `until`, with an attempt more. The longest due come first."""
        ...

    def settle(self, delivery: Delivery) -> bool:
        """Before: claimed, and by nobody else since. After: as given. False, and no change, where that is not so."""
        ...
