"""Deliveries in memory."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from adapters.memory.state import State
from domain.delivery import Delivery, DeliveryState, Subject


class MemoryDeliveries:
    """Implements application.ports.deliveries.Deliveries. State creates and deletes deliveries with their rows."""

    def __init__(self, state: State) -> None:
        self._by_subject: dict[Subject, dict[Any, Delivery]] = {
            Subject.TASK: state.deliveries,
            Subject.BATCH: state.batch_deliveries,
        }

    def claim(self, now: datetime, until: datetime, limit: int) -> Sequence[Delivery]:
        of_tasks, of_batches = ([*of_kind.values()] for of_kind in self._by_subject.values())
        first = [*_by_due(of_batches, now), *_by_due(of_tasks, now)][:limit]
        return [self._put(each.claimed(until)) for each in first]

    def settle(self, delivery: Delivery) -> bool:
        known = self._by_subject[delivery.subject].get(delivery.id)
        if known is None or known.state is not DeliveryState.PENDING or known.claim != delivery.claim:
            return False
        self._put(delivery)
        return True

    def _put(self, delivery: Delivery) -> Delivery:
        self._by_subject[delivery.subject][delivery.id] = delivery
        return delivery


def _by_due(deliveries: Iterable[Delivery], now: datetime) -> Sequence[Delivery]:
    return sorted((each for each in deliveries if each.is_due(now)), key=lambda each: (each.due, each.id))
