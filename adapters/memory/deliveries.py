"""Deliveries in memory."""

from collections.abc import Sequence
from datetime import datetime

from adapters.memory.state import State
from domain.delivery import Delivery, DeliveryState


class MemoryDeliveries:
    """Implements application.ports.deliveries.Deliveries. State.put creates and deletes deliveries with their rows."""

    def __init__(self, state: State) -> None:
        self._state = state

    def claim(self, now: datetime, until: datetime, limit: int) -> Sequence[Delivery]:
        due = [each for each in self._state.deliveries.values() if each.is_due(now)]
        first = sorted(due, key=lambda each: (each.due, each.task))[:limit]
        return [self._put(each.claimed(until)) for each in first]

    def settle(self, delivery: Delivery) -> bool:
        known = self._state.deliveries.get(delivery.task)
        if known is None or known.state is not DeliveryState.PENDING or known.claim != delivery.claim:
            return False
        self._put(delivery)
        return True

    def _put(self, delivery: Delivery) -> Delivery:
        self._state.deliveries[delivery.task] = delivery
        return delivery
