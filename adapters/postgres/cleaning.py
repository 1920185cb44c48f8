"""Cleaning in PostgreSQL: expired tasks and entries of the counts."""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, TextClause

from adapters.postgres import statements
from adapters.postgres.driver_errors import reason
from adapters.postgres.savepoint import savepoint
from application.errors import StatementRefused, StorageConflict, StorageUnavailable
from application.isolation import isolate, log_once
from application.ports.cleaning import MAX_BATCH_BYTES, DeletedTasks
from domain.dependencies import kept_until
from domain.ids import TaskId, TypeName
from domain.traceparent import Traceparent

log = logging.getLogger(__name__)


class PostgresCleaning:
    """Implements application.ports.cleaning.Cleaning."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def delete_expired(
        self, now: datetime, limit: int, max_bytes: int = MAX_BATCH_BYTES, left_out: Collection[TaskId] = ()
    ) -> DeletedTasks:
        bounds = {
            "now": now,
            "kept_until": kept_until(now),
            "limit": limit,
            "max_bytes": max_bytes,
            "left_out": list(left_out),
        }
        self._connection.execute(statements.CLEANING_LOCK_TIMEOUT)
        try:
            with savepoint(self._connection):
                deleted = self._connection.execute(statements.DELETE_EXPIRED, bounds).one()
        except StorageConflict:
            pass  # A row beside one of the tasks is locked.
        except (StorageUnavailable, StatementRefused):
            raise
        except Exception as error:
            log_once(log, f"some expired tasks cannot be deleted: {reason(error)}")
        else:
            is_full = deleted.locked == limit or deleted.locked > deleted.number
            return DeletedTasks(deleted.number, *_unrun([deleted]), is_full=is_full)
        return self._delete_isolating(bounds)

    def fold_counts(self, limit: int) -> int:
        folded: int = self._connection.execute(statements.FOLD_COUNTS, {"limit": limit}).scalar_one()
        return folded

    def _delete_isolating(self, bounds: Mapping[str, Any]) -> DeletedTasks:
        """Delete the tasks of a batch that can be deleted, and name those whose deletion is refused.

        Those that dependents need are kept, or named as well.
        """
        expired = self._connection.execute(statements.LOCK_EXPIRED, bounds).all()
        needed, others = ([row.id for row in expired if row.is_needed is is_needed] for is_needed in (True, False))
        locked = self._connection.execute(statements.WITH_LOCKED_ROWS, {"ids": others}).scalars().all()
        refused: list[TaskId] = []

        def change(statement: TextClause, ids: Sequence[TaskId]) -> Sequence[Row[Any]]:
            with savepoint(self._connection):
                return self._connection.execute(statement, {**bounds, "ids": list(ids)}).all()

        def leave(id: TaskId, error: Exception) -> Sequence[Row[Any]]:
            log_once(log, f"the expired task {id} cannot be deleted: {reason(error)}", task=id)
            refused.append(id)
            return []

        kept = isolate(needed, partial(change, statements.KEEP_LOCKED), leave)
        free = [id for id in others if id not in {*locked}]
        deleted = isolate(free, partial(change, statements.DELETE_LOCKED), leave)
        number = sum(each.number for each in deleted)
        return DeletedTasks(number, *_unrun(deleted), [*refused, *locked], is_full=bool(kept or deleted))


def _unrun(deleted: Sequence[Row[Any]]) -> tuple[Mapping[TaskId, TypeName], Mapping[TaskId, Traceparent]]:
    """The types of the tasks that had not run, in the order of their ids, and the traces of those that have one."""
    waited = sorted(
        one for each in deleted if each.unrun for one in zip(each.unrun, each.types, each.traces, strict=True)
    )
    return {id: type for id, type, _ in waited}, {id: trace for id, _, trace in waited if trace}
