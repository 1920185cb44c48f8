"""The queue in PostgreSQL: every write is fenced by the claims that it names."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, TextClause

from adapters.postgres import rows, statements
from adapters.postgres.arrays import array
from application.ports.queue import LeaseObservation, ProgressReport, RenewalResult, SettleResult
from domain.ids import Claim, HandlerId, Hold, TaskId
from domain.lease import Lease
from domain.settlement import LateLog, RunningLog, Settlement
from domain.status import Status
from domain.task import Task

Execute = Callable[[TextClause, Mapping[str, Any]], Sequence[Any]]
"""Executes a statement with parameters, and returns its rows."""


class PostgresQueue:
    """Implements application.ports.queue.Queue."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def renew(self, holds: Sequence[Hold], lease: Lease) -> RenewalResult:
        return renewed(holds, lease, self._execute)

    def lost(self, holds: Sequence[Hold]) -> Sequence[Hold]:
        return _holds(self._connection.execute(statements.LOST, _named(holds))) if holds else []

    def held_by(self, handler: HandlerId) -> Sequence[Hold]:
        return _holds(self._connection.execute(statements.HELD_BY, {"handler": handler}))

    def report(self, reports: Sequence[ProgressReport]) -> Sequence[Hold]:
        return reported(reports, self._execute)

    def settle(self, settlements: Sequence[Settlement]) -> Sequence[TaskId]:
        return self.settled(settlements).refused

    def settled(self, settlements: Sequence[Settlement]) -> SettleResult:
        """Write settlements as `settle` does."""
        unwritten, result = settle_fenced(settlements, self._execute)
        self._record(settlements, {each.hold for each in unwritten})
        return result

    def settle_unlocked(self, settlements: Sequence[Settlement]) -> SettleResult:
        locked = self._locked([each.hold for each in settlements], [each.hold for each in settlements if each.attempt])
        result = self.settled([each for each in settlements if each.hold not in locked])
        return replace(result, busy=[each for each in settlements if each.hold in locked])

    def record_late_logs(self, late_logs: Sequence[LateLog]) -> Sequence[LateLog]:
        holds = [each.hold for each in late_logs]
        locked = self._locked(holds, holds)
        kept = [
            rows.attempt_columns(each.hold.task, each.record) | {"handler": each.hold.handler, "created": each.created}
            for each in late_logs
            if each.hold not in locked
        ]
        if kept:
            self._connection.execute(statements.RECORD_LATE_LOGS, rows.columns(kept))
        return [each for each in late_logs if each.hold in locked]

    def lapsed(self, leases: Collection[Lease], limit: int, left_out: Collection[TaskId] = ()) -> Sequence[Task]:
        return lapsed(leases, limit, left_out, self._execute)

    def running_under(self, handler: HandlerId, limit: int, known: Collection[Hold] = ()) -> Sequence[Task]:
        named = _named([*known]) | {"handler": handler, "limit": limit}
        return [rows.task(row) for row in self._connection.execute(statements.RUNNING_UNDER, named)]

    def _locked(self, holds: Sequence[Hold], recorded: Sequence[Hold]) -> set[Hold]:
        """Lock the tasks of the holds, and the records of the recorded ones. Those of which others have locked one."""
        self._connection.execute(statements.TABLE_LOCK_TIMEOUT)
        locked = {*_holds(self._connection.execute(statements.LOCK_UNLOCKED, _named(holds)))}
        if recorded:
            locked |= {*_holds(self._connection.execute(statements.LOCK_UNLOCKED_RECORDS, _named(recorded)))}
        return locked

    def _execute(self, statement: TextClause, parameters: Mapping[str, Any]) -> Sequence[Any]:
        return self._connection.execute(statement, parameters).all()

    def _record(self, settlements: Sequence[Settlement], unwritten: set[Hold]) -> None:
        written = (each for each in settlements if each.hold not in unwritten)
        kept = [rows.attempt_columns(each.task.id, each.attempt) for each in written if each.attempt]
        if kept:
            self._connection.execute(statements.SETTLE_ATTEMPTS, rows.columns(kept))


def renewed(holds: Sequence[Hold], lease: Lease, execute: Execute) -> RenewalResult:
    """Renew the leases of tasks that are held and not locked."""
    if not holds:
        return RenewalResult()
    found = execute(statements.RENEW, _named(holds) | {"handler": lease.handler, "lease_until": lease.until})
    lost, locked = ([row for row in found if row.locked is is_locked] for is_locked in (False, True))
    return RenewalResult(_holds(lost), _holds(locked))


def reported(reports: Sequence[ProgressReport], execute: Execute) -> Sequence[Hold]:
    """Store starts and progress of tasks that are held, and return the holds of locked ones."""
    if not reports:
        return []
    news = {
        "started": [report.started for report in reports],
        "progress": [rows.progress_text(report.progress) for report in reports],
    }
    return _holds(execute(statements.REPORT, _named([report.hold for report in reports]) | news))


def reported_logs(logs: Sequence[RunningLog], execute: Execute) -> Sequence[Hold]:
    """Store the records of starts that go on, and return the holds of locked tasks."""
    if not logs:
        return []
    kept = [rows.attempt_columns(each.hold.task, each.record) | {"handler": each.hold.handler} for each in logs]
    return _holds(execute(statements.REPORT_LOGS, rows.columns(kept)))


def observed_leases(execute: Execute) -> LeaseObservation:
    """Make a trial write, and return the leases of all running tasks."""
    found = execute(statements.OBSERVE_LEASES, {})
    # Without running tasks there is one row with no lease.
    leases = {Lease(row.handler, row.lease_until): row.lease for row in found if row.handler is not None}
    return LeaseObservation(leases, found[0].up_since)


def lapsed(
    leases: Collection[Lease],
    limit: int,
    left_out: Collection[TaskId],
    execute: Execute,
    statement: TextClause = statements.LAPSED,
) -> Sequence[Task]:
    """Lock and return running tasks under these leases that are neither locked nor left out."""
    if not leases:
        return []
    named = rows.columns([{"handler": lease.handler, "lease_until": lease.until} for lease in leases])
    found = execute(statement, named | {"limit": limit, "left_out": [*left_out]})
    return [rows.task(row) for row in found]


def settle_fenced(settlements: Sequence[Settlement], execute: Execute) -> tuple[Sequence[Settlement], SettleResult]:
    """Write settlements of tasks that are still held.

    Return the settlements that were not written now, and the result, which refuses those that were not written before
    either.
    """
    handlers = {each.hold.handler for each in settlements}
    if len(handlers) == 1 and all(each.task.status is Status.DONE for each in settlements):
        unwritten, ends = _write(statements.SETTLE_SUCCESSES, settlements, _successes(settlements), execute)
    else:
        unwritten, ends = _write(statements.SETTLE, settlements, _outcomes(settlements), execute)
    refused, ended = _write(statements.SETTLED, unwritten, _outcomes(unwritten), execute)
    return unwritten, SettleResult([each.task.id for each in refused], parents_ended=ends or ended)


def _write(
    statement: TextClause, settlements: Sequence[Settlement], parameters: Mapping[str, Any], execute: Execute
) -> tuple[Sequence[Settlement], bool]:
    """Return the settlements that the statement does not return by their places, and whether a parent is among others.

    Places are counted from 1 on.
    """
    if not settlements:
        return [], False
    returned = {row.nth: row.has_dependents for row in execute(statement, parameters)}
    return [each for nth, each in enumerate(settlements, 1) if nth not in returned], True in returned.values()


def _named(holds: Sequence[Hold]) -> dict[str, Any]:
    ids, claims, handlers = zip(*holds, strict=True) if holds else ((), (), ())
    return {"ids": [*ids], "claims": [*claims], "holders": [*handlers]}


def _holds(found: Any) -> Sequence[Hold]:
    return [Hold(TaskId(row.id), Claim(row.claim), HandlerId(row.handler)) for row in found]


def _successes(settlements: Sequence[Settlement]) -> Mapping[str, Any]:
    tasks = [each.task for each in settlements]
    return {
        "id": array([task.id for task in tasks]),
        "claim": array([each.hold.claim for each in settlements]),
        "created": array([task.created for task in tasks]),
        "handler": settlements[0].hold.handler,
        "expire": array([task.expire for task in tasks]),
        "started": array([task.started for task in tasks]),
        "finished": array([task.finished for task in tasks]),
        "progress": array([rows.progress_text(task.progress) for task in tasks]),
        "result": array([each.result for each in settlements]),
    }


def _outcomes(settlements: Sequence[Settlement]) -> Mapping[str, Any]:
    return rows.columns([_outcome(each) for each in settlements]) if settlements else {}


def _outcome(settlement: Settlement) -> dict[str, object]:
    task = settlement.task
    return {
        "id": task.id,
        "claim": settlement.hold.claim,
        "handler": settlement.hold.handler,
        "created": task.created,
        "status": task.status,
        "run_at": task.run_at,
        "expire": task.expire,
        "attempt": task.attempt,
        "losses": task.losses,
        "suspect": task.suspect,
        "started": task.started,
        "finished": task.finished,
        "progress": rows.progress_text(task.progress),
        "error": rows.error_text(task.error),
        "result": settlement.result,
    }
