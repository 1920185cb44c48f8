"""The autocommit store in PostgreSQL: one statement for each operation where that is enough, sent by the driver."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause

from adapters.postgres import deliveries, queue, rows, statements, task_repository
from adapters.postgres.arrays import array
from adapters.postgres.claim import MAX_TRIGGER_FAILURES, PostgresClaim
from adapters.postgres.database import Database
from adapters.postgres.driver_errors import is_systemic, reason, refused_outcomes
from adapters.postgres.limited_claim import PostgresLimitedClaim
from application.errors import StatementRefused, StorageConflict, StorageUnavailable, TriggerFailed
from application.isolation import Item, Result, isolate, log_once
from application.ports.autocommit import StoredResult
from application.ports.limits import LimitedClaim, LimitedClaimRequest
from application.ports.queue import (
    ClaimedRecord,
    ClaimRequest,
    LeaseObservation,
    ProgressReport,
    RenewalResult,
    SettleResult,
    merged,
)
from application.ports.task_repository import ANY_SIZE, TaskRecord, Version
from domain.ids import Hold, TaskId, TypeName
from domain.lease import Lease
from domain.settlement import RunningLog, Settlement
from domain.status import Status
from domain.submission import Submission
from domain.task import Task

log = logging.getLogger(__name__)


class PostgresAutocommitStore:
    """Implements application.ports.autocommit.AutocommitStore. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._claim = PostgresClaim(statements.CLAIM_UNLIMITED)
        self._claim_limited = PostgresLimitedClaim(database)

    def add(self, submissions: Sequence[Submission]) -> Sequence[Task | None]:
        return task_repository.added(submissions, self._ids)

    def claim(self, lease: Lease, now: datetime, request: ClaimRequest) -> Sequence[ClaimedRecord]:
        send = self._database.commit_after_read
        try:
            return self._claim.at_once(send, lease, now, request)
        except StorageUnavailable:
            raise
        except Exception as error:
            if is_systemic(error):
                raise
        return self._claim.isolating(send, lease, now, request)

    def limited_types(self) -> Set[TypeName]:
        return {TypeName(row.type) for row in self._rows(statements.LIMITED_TYPES, {})}

    def claim_limited(
        self, lease: Lease, now: datetime, request: LimitedClaimRequest, settlements: Sequence[Settlement] = ()
    ) -> LimitedClaim:
        return self._claim_limited(lease, now, request, settlements)

    def settle(self, settlements: Sequence[Settlement]) -> SettleResult:
        with refused_outcomes():
            if not any(each.attempt for each in settlements):
                return queue.settle_fenced(settlements, self._rows)[1]
            with self._database.transaction() as connection:
                result = queue.PostgresQueue(connection).settled(settlements)
                connection.commit()
            return result

    def settle_unlocked(self, settlements: Sequence[Settlement]) -> SettleResult:
        failed: list[Settlement] = []
        result = self._settle_around(settlements, failed)
        return replace(result, busy=[*result.busy, *failed])

    def _settle_around(self, settlements: Sequence[Settlement], failed: list[Settlement]) -> SettleResult:
        """Settle around settlements for which a trigger fails, which are added to `failed`.

        Those for which too many others failed are busy.
        """
        if len(failed) >= MAX_TRIGGER_FAILURES:
            return SettleResult(busy=settlements)
        try:
            with refused_outcomes(), self._database.transaction() as connection:
                result = queue.PostgresQueue(connection).settle_unlocked(settlements)
                connection.commit()
            return result
        except TriggerFailed as error:
            if len(settlements) == 1:
                hold = settlements[0].hold
                line = f"the outcome of task {hold.task} is stored later: {reason(error)}"
                log_once(log, line, error, **hold._asdict())
                failed.extend(settlements)
                return SettleResult()
        middle = len(settlements) // 2
        return merged(self._settle_around(half, failed) for half in (settlements[:middle], settlements[middle:]))

    def renew(self, holds: Sequence[Hold], lease: Lease) -> RenewalResult:
        def renew(some: Sequence[Hold]) -> Sequence[RenewalResult]:
            return [queue.renewed(some, lease, self._rows)]

        def leave(hold: Hold, error: Exception) -> Sequence[RenewalResult]:
            log_once(log, f"the lease of task {hold.task} cannot be renewed: {reason(error)}", error, **hold._asdict())
            return []

        parts = isolate(holds, _blaming_rows(renew), leave)
        return RenewalResult([h for part in parts for h in part.lost], [h for part in parts for h in part.locked])

    def report(self, reports: Sequence[ProgressReport]) -> Sequence[Hold]:
        def report(some: Sequence[ProgressReport]) -> Sequence[Hold]:
            return queue.reported(some, self._rows)

        def leave(one: ProgressReport, error: Exception) -> Sequence[Hold]:
            line = f"the start of task {one.hold.task} cannot be stored: {reason(error)}"
            log_once(log, line, error, **one.hold._asdict())
            return [one.hold]

        return isolate(reports, _blaming_rows(report), leave)

    def report_logs(self, logs: Sequence[RunningLog]) -> Sequence[Hold]:
        def report(some: Sequence[RunningLog]) -> Sequence[Hold]:
            return queue.reported_logs(some, self._rows)

        def leave(one: RunningLog, error: Exception) -> Sequence[Hold]:
            line = f"the log of task {one.hold.task} cannot be stored while it runs: {reason(error)}"
            log_once(log, line, error, **one.hold._asdict())
            return []

        return isolate(logs, _blaming_rows(report), leave)

    def observe_leases(self) -> LeaseObservation:
        return queue.observed_leases(self._rows)

    def lapsed(self, leases: Collection[Lease], limit: int, left_out: Collection[TaskId] = ()) -> Sequence[Task]:
        try:
            return queue.lapsed(leases, limit, left_out, self._rows, statements.TRY_LAPSED)
        except (StorageConflict, StorageUnavailable):
            raise
        except Exception:
            # One of the rows can never be written. A rescue finds out which, and sets it aside.
            return queue.lapsed(leases, limit, left_out, self._rows)

    def get_many(self, ids: Collection[TaskId], max_bytes: int = ANY_SIZE) -> Mapping[TaskId, TaskRecord]:
        wanted = {"ids": list(ids), "max_bytes": max_bytes}
        return {row.id: self._record(row) for row in self._rows(statements.GET_MANY, wanted)}

    def results(self, known: Mapping[TaskId, datetime | None], max_bytes: int) -> Mapping[TaskId, StoredResult]:
        wanted = {"ids": array(known.keys()), "known": array(known.values()), "max_bytes": max_bytes}
        # A status of a newer version is that of no done task.
        return {
            row.id: StoredResult(rows.STATUSES.get(row.status, Status.WAITING), row.finished, row.result)
            for row in self._rows(statements.RESULTS, wanted)
        }

    def versions(self, ids: Collection[TaskId]) -> Mapping[TaskId, Version]:
        return {row.id: row.version for row in self._rows(statements.VERSIONS, {"ids": list(ids)})}

    def changed(self, known: Mapping[TaskId, Version]) -> Mapping[TaskId, TaskRecord | None]:
        wanted = {"ids": array(known.keys()), "versions": array(known.values())}
        return dict(task_repository.summaries(self._rows(statements.CHANGED, wanted)))

    def _ids(self, statement: TextClause, columns: Mapping[str, str]) -> Sequence[TaskId | None]:
        return [row.id for row in self._rows(statement, columns)]

    def _record(self, row: Any) -> TaskRecord:
        # Few tasks have a callback or parents: the others are spared the look-ups.
        found = self._rows(statements.TASK_DELIVERIES.get, {"ids": [row.id]}) if row.callback else []
        parents = self._rows(statements.PARENTS, {"task": row.id}) if row.if_parent_failed else []
        delivery = deliveries.delivery(found[0]) if found else None
        return task_repository.record(row, delivery, tuple(each.parent for each in parents))

    def _rows(self, statement: TextClause, parameters: Mapping[str, Any]) -> Sequence[Any]:
        return self._database.execute_autocommit(statement, parameters)


def _blaming_rows(act: Callable[[Sequence[Item]], Sequence[Result]]) -> Callable[[Sequence[Item]], Sequence[Result]]:
    """The same function, which raises StatementRefused where no row is to blame."""

    def act_on(items: Sequence[Item]) -> Sequence[Result]:
        try:
            return act(items)
        except StatementRefused:
            raise
        except Exception as error:
            if is_systemic(error):
                raise StatementRefused from error
            raise

    return act_on
