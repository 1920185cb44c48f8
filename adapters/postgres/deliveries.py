"""Deliveries in PostgreSQL. Triggers on the tasks begin and end them, whichever statement changes a task."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from adapters.postgres import rows, statements
from domain.delivery import Delivery, DeliveryState
from domain.ids import TaskId

STATES = {state.value: state for state in DeliveryState}
"""A state of a newer version is shown as pending. It is never claimed."""


class PostgresDeliveries:
    """Implements application.ports.deliveries.Deliveries."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, task: TaskId) -> Delivery | None:
        """Return the delivery of the task; None where it has no callback or has not finished."""
        row = self._connection.execute(statements.DELIVERY, {"task": task}).first()
        return None if row is None else delivery(row)

    def claim(self, now: datetime, until: datetime, limit: int) -> Sequence[Delivery]:
        parameters = {"now": now, "until": until, "limit": limit}
        return [delivery(row) for row in self._connection.execute(statements.CLAIM_DELIVERIES, parameters)]

    def settle(self, delivery: Delivery) -> bool:
        return self._connection.execute(statements.SETTLE_DELIVERY, _settled(delivery)).rowcount == 1


def delivery(row: Any) -> Delivery:
    """Return the delivery that a row of statements.DELIVERY holds."""
    return Delivery(
        task=row.task,
        finished=row.finished,
        url=row.url,
        due=row.due,
        state=STATES.get(row.state, DeliveryState.PENDING),
        attempts=row.attempts,
        error=rows.text_of(row.error),
    )


def _settled(delivery: Delivery) -> dict[str, object]:
    return {
        "task": delivery.task,
        "finished": delivery.finished,
        "attempts": delivery.attempts,
        "due": delivery.due,
        "state": delivery.state,
        "error": None if delivery.error is None else json.dumps(delivery.error),
    }
