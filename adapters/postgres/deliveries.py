"""Deliveries in PostgreSQL. Triggers on the tasks begin and end them, whichever statement changes a task."""

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from adapters.postgres import rows, statements
from adapters.postgres.driver_errors import reason
from adapters.postgres.savepoint import savepoint
from application.errors import StatementRefused, StorageUnavailable
from application.isolation import isolate, log_once
from domain.delivery import Delivery, DeliveryState
from domain.ids import TaskId

log = logging.getLogger(__name__)
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
        try:
            with savepoint(self._connection):
                return [delivery(row) for row in self._connection.execute(statements.CLAIM_DELIVERIES, parameters)]
        except (StorageUnavailable, StatementRefused):
            raise
        except Exception:
            return self._claim_isolating(parameters)

    def _claim_isolating(self, parameters: Mapping[str, Any]) -> Sequence[Delivery]:
        """Claim the due deliveries that can be claimed, and give the others up."""
        free = self._connection.execute(statements.FREE_DELIVERIES, parameters).scalars().all()

        def claim(tasks: Sequence[TaskId]) -> Sequence[Delivery]:
            with savepoint(self._connection):
                named = {**parameters, "tasks": list(tasks)}
                return [delivery(row) for row in self._connection.execute(statements.CLAIM_DELIVERIES_OF, named)]

        def give_up(task: TaskId, error: Exception) -> Sequence[Delivery]:
            log_once(log, f"the callback of task {task} cannot be claimed, and is given up: {reason(error)}")
            with savepoint(self._connection):
                self._connection.execute(
                    statements.GIVE_UP_DELIVERY, {"task": task, "error": json.dumps(reason(error))}
                )
            return []

        def leave(task: TaskId, error: Exception) -> Sequence[Delivery]:
            log_once(log, f"the callback of task {task} cannot be given up: {reason(error)}")
            return []

        return isolate(free, claim, lambda task, error: isolate([task], lambda tasks: give_up(tasks[0], error), leave))

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
