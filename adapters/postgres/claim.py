"""The two ways of claiming: all at once, and task by task where a row makes that fail."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol, TypeVar

from sqlalchemy import TextClause

from adapters.postgres import rows, statements
from adapters.postgres.arrays import array
from adapters.postgres.driver_errors import is_systemic, reason
from adapters.postgres.statements.claim import ClaimStatements
from application.errors import StatementRefused, StorageUnavailable, TriggerFailed
from application.isolation import isolate, log_once
from application.log_lines import keys
from application.ports.queue import ClaimedRecord, ClaimRequest
from domain.failure import SET_ASIDE
from domain.ids import TaskId
from domain.lease import Lease

LEFT_OUT_SECONDS = 60.0
"""Seconds for which a task is left out of claims that can neither be claimed nor set aside."""
MAX_TRIGGER_FAILURES = 10
"""Tasks for which a trigger has failed, after which it is taken to fail for all."""
T = TypeVar("T")
log = logging.getLogger(__name__)


class Send(Protocol):
    """Executes a statement, and returns the value that `read` makes of its rows. Nothing is changed where it raises."""

    def __call__(
        self, statement: TextClause, parameters: Mapping[str, Any], read: Callable[[Sequence[Any]], T], /
    ) -> T: ...


class PostgresClaim:
    """Claims by the statements of one choice. Safe to use from several threads."""

    def __init__(self, choice: ClaimStatements) -> None:
        self._choice = choice
        self._left_out: dict[TaskId, float] = {}

    def at_once(self, send: Send, lease: Lease, now: datetime, request: ClaimRequest) -> Sequence[ClaimedRecord]:
        """Claim all tasks by one statement, or none."""
        parameters = _parameters(lease, now, request)
        read = partial(rows.claimed, lease=lease)
        if not self._left_out:
            return send(self._choice.claim, parameters, read)
        return send(self._choice.claim_others, {**parameters, "left_out": self.left_out()}, read)

    def isolating(self, send: Send, lease: Lease, now: datetime, request: ClaimRequest) -> Sequence[ClaimedRecord]:
        """Claim what can be claimed, and set the other tasks aside."""
        parameters = {**_parameters(lease, now, request), "left_out": self.left_out()}
        chosen = send(self._choice.choose_others, parameters, list)
        return self.each(send, lease, now, request, [row.id for row in chosen])

    def together(
        self, send: Send, lease: Lease, now: datetime, request: ClaimRequest, ids: Sequence[TaskId]
    ) -> Sequence[ClaimedRecord]:
        """Claim these tasks by one statement, in this order, so far as they still wait; or none."""
        return self._chosen(send, lease, _parameters(lease, now, request), list(enumerate(ids, 1)))

    def each(
        self, send: Send, lease: Lease, now: datetime, request: ClaimRequest, ids: Sequence[TaskId]
    ) -> Sequence[ClaimedRecord]:
        """Claim those of these tasks that can be claimed, in this order, and set the others aside."""
        parameters = _parameters(lease, now, request)
        failed: list[TaskId] = []
        claimed: list[ClaimedRecord] = []

        def claim(some: Sequence[tuple[int, TaskId]]) -> Sequence[ClaimedRecord]:
            found = self._chosen(send, lease, parameters, some)
            claimed.extend(found)
            return found

        def set_aside(one: tuple[int, TaskId], error: Exception) -> Sequence[ClaimedRecord]:
            self._set_aside(send, one[1], error, now)
            failed.extend([one[1]] if isinstance(error, TriggerFailed) else [])
            if len(failed) >= MAX_TRIGGER_FAILURES and not claimed:
                raise StatementRefused from error
            return []

        return isolate(list(enumerate(ids, 1)), claim, set_aside)

    def left_out(self) -> list[TaskId]:
        """Return the tasks that can neither be claimed nor set aside for now."""
        now = time.monotonic()
        for id in [id for id, until in list(self._left_out.items()) if until <= now]:
            self._left_out.pop(id, None)
        return list(self._left_out)

    def _chosen(
        self, send: Send, lease: Lease, parameters: Mapping[str, Any], some: Sequence[tuple[int, TaskId]]
    ) -> Sequence[ClaimedRecord]:
        positions, ids = zip(*some, strict=True)
        named = {**parameters, "ids": list(ids), "positions": list(positions)}
        return send(statements.CLAIM_CHOSEN, named, partial(rows.claimed, lease=lease))

    def _set_aside(self, send: Send, id: TaskId, error: Exception, now: datetime) -> None:
        if is_systemic(error):
            raise StatementRefused from error
        if isinstance(error, TriggerFailed):
            self._leave_out(id, error)
            return
        why = reason(error)
        try:
            send(statements.SET_ASIDE, {"id": id, "now": now, "kind": SET_ASIDE, "why": why}, list)
            log.warning("task %d cannot be claimed, and has failed: %s", id, why, extra=keys(task=id))
        except StorageUnavailable:
            raise
        except Exception as refusal:
            self._leave_out(id, refusal)

    def _leave_out(self, id: TaskId, error: Exception) -> None:
        self._left_out[id] = time.monotonic() + LEFT_OUT_SECONDS
        log_once(log, f"task {id} can neither be claimed nor set aside: {reason(error)}", error, task=id)


def _parameters(lease: Lease, now: datetime, request: ClaimRequest) -> Mapping[str, Any]:
    return {
        "types": array(request.most),
        "most": array(request.most.values()),
        "slow": array(type in request.slow for type in request.most),
        "max_slow": request.max_slow,
        "cursor_types": array(type for type, _ in request.cursors),
        "cursor_priorities": array(priority for _, priority in request.cursors),
        "cursor_run_at": array(cursor.run_at for cursor in request.cursors.values()),
        "cursor_ids": array(cursor.id for cursor in request.cursors.values()),
        "now": now,
        "limit": request.limit,
        "max_bytes": request.max_bytes,
        "starting": request.starting,
        "handler": lease.handler,
        "lease_until": lease.until,
    }
