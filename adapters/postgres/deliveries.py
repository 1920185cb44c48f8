"""Deliveries in PostgreSQL. Triggers on tasks and batches begin and end them, whichever statement changes these."""

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from adapters.postgres import rows, statements
from adapters.postgres.driver_errors import reason
from adapters.postgres.savepoint import savepoint
from application.errors import StatementRefused, StorageUnavailable
from application.isolation import isolate, log_once
from domain.delivery import Delivery, DeliveryState, Subject
from domain.ids import TaskId

log = logging.getLogger(__name__)
STATES = {state.value: state for state in DeliveryState}
"""A state of a newer version is shown as pending. It is never claimed."""
STATEMENTS = {Subject.TASK: statements.TASK_DELIVERIES, Subject.BATCH: statements.BATCH_DELIVERIES}


class PostgresDeliveries:
    """Implements application.ports.deliveries.Deliveries."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, id: TaskId) -> Delivery | None:
        """Return the delivery of a task; None where it has no callback or has not finished."""
        return self.get_many([id], Subject.TASK).get(id)

    def get_many(self, ids: Collection[int], subject: Subject) -> Mapping[int, Delivery]:
        """Return by id the deliveries of tasks or batches that have one."""
        found = self._connection.execute(STATEMENTS[subject].get, {"ids": list(ids)}) if ids else ()
        return {row.id: delivery(row, subject) for row in found}

    def claim(self, now: datetime, until: datetime, limit: int) -> Sequence[Delivery]:
        of_batches = self._claim(Subject.BATCH, {"now": now, "until": until, "limit": limit})
        rest = limit - len(of_batches)
        return [*of_batches, *self._claim(Subject.TASK, {"now": now, "until": until, "limit": rest})]

    def settle(self, delivery: Delivery) -> bool:
        return self._connection.execute(STATEMENTS[delivery.subject].settle, _settled(delivery)).rowcount == 1

    def _claim(self, subject: Subject, parameters: Mapping[str, Any]) -> Sequence[Delivery]:
        try:
            with savepoint(self._connection):
                found = self._connection.execute(STATEMENTS[subject].claim, parameters)
                return [delivery(row, subject) for row in found]
        except (StorageUnavailable, StatementRefused):
            raise
        except Exception:
            return self._claim_isolating(subject, parameters)

    def _claim_isolating(self, subject: Subject, parameters: Mapping[str, Any]) -> Sequence[Delivery]:
        """Claim the due deliveries that can be claimed, and give the others up."""
        of_subject = STATEMENTS[subject]
        free = self._connection.execute(of_subject.free, parameters).scalars().all()

        def claim(ids: Sequence[int]) -> Sequence[Delivery]:
            with savepoint(self._connection):
                named = {**parameters, "ids": list(ids)}
                return [delivery(row, subject) for row in self._connection.execute(of_subject.claim_of, named)]

        def keys_of_subject(id: int) -> Mapping[str, Any]:
            return {str(subject): id}

        def give_up(id: int, error: Exception) -> Sequence[Delivery]:
            line = f"the callback of {subject} {id} cannot be claimed, and is given up: {reason(error)}"
            log_once(log, line, None, **keys_of_subject(id))
            with savepoint(self._connection):
                self._connection.execute(of_subject.give_up, {"id": id, "error": json.dumps(reason(error))})
            return []

        def leave(id: int, error: Exception) -> Sequence[Delivery]:
            log_once(
                log, f"the callback of {subject} {id} cannot be given up: {reason(error)}", None, **keys_of_subject(id)
            )
            return []

        return isolate(free, claim, lambda id, error: isolate([id], lambda ids: give_up(ids[0], error), leave))


def delivery(row: Any, subject: Subject = Subject.TASK) -> Delivery:
    """Return the delivery that a row of DeliveryStatements.get holds."""
    return Delivery(
        id=row.id,
        subject=subject,
        finished=row.finished,
        url=row.url,
        due=row.due,
        state=STATES.get(row.state, DeliveryState.PENDING),
        attempts=row.attempts,
        error=rows.text_of(row.error),
    )


def _settled(delivery: Delivery) -> dict[str, object]:
    return {
        "id": delivery.id,
        "finished": delivery.finished,
        "attempts": delivery.attempts,
        "due": delivery.due,
        "state": delivery.state,
        "error": None if delivery.error is None else json.dumps(delivery.error),
    }
