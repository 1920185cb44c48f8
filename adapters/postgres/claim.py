"""The two ways of claiming: by one statement, and task by task where a row makes that statement fail."""

import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from adapters.postgres import rows, statements
from adapters.postgres.database import Database
from adapters.postgres.driver_errors import is_systemic, reason
from application.errors import StatementRefused, StorageUnavailable, TriggerFailed
from application.isolation import isolate, log_once
from application.ports.queue import ClaimedRecord
from domain.failure import SET_ASIDE
from domain.ids import TaskId
from domain.lease import Lease

LEFT_OUT_SECONDS = 60.0
"""Seconds for which a task is left out of claims that can neither be claimed nor set aside."""
MAX_TRIGGER_FAILURES = 10
"""Tasks for which a trigger has failed, after which it is taken to fail for all."""
log = logging.getLogger(__name__)


class PostgresClaim:
    """Claims with the parameters of statements.CLAIM. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._left_out: dict[TaskId, float] = {}

    def by_one_statement(self, lease: Lease, parameters: Mapping[str, Any]) -> Sequence[ClaimedRecord]:
        """Claim all tasks or none."""
        if not self._left_out:
            return self._claimed(statements.CLAIM, lease, parameters)
        return self._claimed(statements.CLAIM_OTHERS, lease, {**parameters, "left_out": self._present_left_out()})

    def isolating(self, lease: Lease, parameters: Mapping[str, Any]) -> Sequence[ClaimedRecord]:
        """Claim what can be claimed, and set the other tasks aside."""
        chosen = self._database.execute_autocommit(
            statements.CHOOSE_OTHERS, {**parameters, "left_out": self._present_left_out()}
        )

        failed: list[TaskId] = []
        claimed: list[ClaimedRecord] = []

        def claim(some: Sequence[tuple[int, TaskId]]) -> Sequence[ClaimedRecord]:
            positions, ids = zip(*some, strict=True)
            named = {**parameters, "ids": list(ids), "positions": list(positions)}
            found = self._claimed(statements.CLAIM_CHOSEN, lease, named)
            claimed.extend(found)
            return found

        def set_aside(one: tuple[int, TaskId], error: Exception) -> Sequence[ClaimedRecord]:
            self._set_aside(one[1], error, parameters)
            failed.extend([one[1]] if isinstance(error, TriggerFailed) else [])
            if len(failed) >= MAX_TRIGGER_FAILURES and not claimed:
                raise StatementRefused from error
            return []

        return isolate([(nth, row.id) for nth, row in enumerate(chosen, 1)], claim, set_aside)

    def _claimed(self, statement: Any, lease: Lease, parameters: Mapping[str, Any]) -> Sequence[ClaimedRecord]:
        return self._database.commit_after_read(statement, parameters, partial(rows.claimed, lease=lease))

    def _set_aside(self, id: TaskId, error: Exception, parameters: Mapping[str, Any]) -> None:
        if is_systemic(error):
            raise StatementRefused from error
        if isinstance(error, TriggerFailed):
            self._leave_out(id, error)
            return
        why = reason(error)
        try:
            self._database.commit_after_read(
                statements.SET_ASIDE, {"id": id, "now": parameters["now"], "kind": SET_ASIDE, "why": why}, list
            )
            log.warning("task %d cannot be claimed, and has failed: %s", id, why)
        except StorageUnavailable:
            raise
        except Exception as refusal:
            self._leave_out(id, refusal)

    def _leave_out(self, id: TaskId, error: Exception) -> None:
        self._left_out[id] = time.monotonic() + LEFT_OUT_SECONDS
        log_once(log, f"task {id} can neither be claimed nor set aside: {reason(error)}", error)

    def _present_left_out(self) -> list[TaskId]:
        now = time.monotonic()
        for id in [id for id, until in list(self._left_out.items()) if until <= now]:
            self._left_out.pop(id, None)
        return list(self._left_out)
