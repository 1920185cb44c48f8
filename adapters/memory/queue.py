"""The queue in memory: the aggregate makes every transition."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from adapters.memory.state import State
from application.ports.queue import ProgressReport, RenewalResult, SettleResult
from domain.ids import HandlerId, Hold, TaskId
from domain.lease import Lease
from domain.settlement import Attempt, LateLog, Outcome, RunningLog, Settlement
from domain.status import Status
from domain.task import Task


class MemoryQueue:
    """Implements application.ports.queue.Queue."""

    def __init__(self, state: State) -> None:
        self._state = state

    def renew(self, holds: Sequence[Hold], lease: Lease) -> RenewalResult:
        lost = self.lost(holds)
        for hold in set(holds) - set(lost):
            self._state.put_task(replace(self._state.rows[hold.task].task, lease=lease))
        return RenewalResult(lost)

    def lost(self, holds: Sequence[Hold]) -> Sequence[Hold]:
        return [hold for hold in holds if not self._is_held(hold)]

    def held_by(self, handler: HandlerId) -> Sequence[Hold]:
        return [task.hold for task in self._running() if task.lease and task.lease.handler == handler]

    def report(self, reports: Sequence[ProgressReport]) -> Sequence[Hold]:
        for report in reports:
            if self._is_held(report.hold):
                task = self._state.rows[report.hold.task].task
                self._state.put_task(task.reported(report.started, report.progress))
        return []

    def report_logs(self, logs: Sequence[RunningLog]) -> None:
        """Store the records of starts that go on, and their logs."""
        for each in logs:
            if self._is_held(each.hold):
                row, key = self._state.rows[each.hold.task], (each.hold.task, each.hold.claim)
                self._state.put(replace(row, printed=each.record.ended))
                if key not in self._state.attempts or self._state.attempts[key].outcome is Outcome.RUNNING:
                    self._state.attempts[key] = each.record
                    self._state.log_writers[key] = each.hold.handler

    def settle(self, settlements: Sequence[Settlement]) -> Sequence[TaskId]:
        return self.settled(settlements).refused

    def settle_unlocked(self, settlements: Sequence[Settlement]) -> SettleResult:
        return self.settled(settlements)

    def settled(self, settlements: Sequence[Settlement]) -> SettleResult:
        """Write settlements as `settle` does."""
        refused = [settlement.task.id for settlement in settlements if not self._settle(settlement)]
        written = {each.task.id for each in settlements}.difference(refused)
        return SettleResult(refused, parents_ended=any(self._state.dependents_of(id) for id in written))

    def record_late_logs(self, late_logs: Sequence[LateLog]) -> Sequence[LateLog]:
        for each in late_logs:
            if self._may_record(each):
                key = each.hold.task, each.hold.claim
                if key not in self._state.attempts:
                    self._state.log_writers[key] = each.hold.handler
                self._state.attempts[key] = self._attempt_with(each)
        return []

    def leases(self) -> Mapping[Lease, float | None]:
        """Return the leases of all running tasks, with the seconds of their handlers."""
        leases = (task.lease for task in self._running() if task.lease)
        return {lease: self._lease_seconds(lease.handler) for lease in leases}

    def lapsed(self, leases: Collection[Lease], limit: int, left_out: Collection[TaskId] = ()) -> Sequence[Task]:
        lapsed = [task for task in self._running() if task.lease in leases and task.id not in left_out]
        return sorted(lapsed, key=lambda task: (task.lease and task.lease.until, task.id))[:limit]

    def running_under(self, handler: HandlerId, limit: int, known: Collection[Hold] = ()) -> Sequence[Task]:
        others = [hold for hold in self.held_by(handler) if hold not in known]
        return [self._state.rows[hold.task].task for hold in others[:limit]]

    def _lease_seconds(self, handler: HandlerId) -> float | None:
        known = self._state.handlers.get(handler)
        return known.lease if known else None

    def _running(self) -> Sequence[Task]:
        return [row.task for row in self._state.rows.values() if row.task.status is Status.RUNNING]

    def _settle(self, settlement: Settlement) -> bool:
        row = self._state.rows.get(settlement.task.id)
        if row is None:
            return False
        after = replace(row, task=settlement.task, result=settlement.result)
        if not self._is_held(settlement.hold) or row.task.created != after.task.created:
            return row == after
        self._state.put(after)
        if settlement.attempt:
            self._state.attempts[after.task.id, settlement.attempt.claim] = self._with_stored_log(
                after.task.id, settlement.attempt
            )
        return True

    def _with_stored_log(self, id: TaskId, ended: Attempt) -> Attempt:
        """The record with the log of the running start, where a rescuer knows of none."""
        known = self._state.attempts.get((id, ended.claim))
        if known and known.outcome is Outcome.RUNNING and ended.outcome is Outcome.LOST and not ended.log:
            return replace(ended, log=known.log)
        return ended

    def _may_record(self, late_log: LateLog) -> bool:
        row, hold = self._state.rows.get(late_log.hold.task), late_log.hold
        if row is None or row.task.created != late_log.created:
            return False
        known = self._state.attempts.get((hold.task, late_log.record.claim))
        writer = self._state.log_writers.get((hold.task, late_log.record.claim))
        if known and (
            known.outcome not in (Outcome.RUNNING, Outcome.LOST, Outcome.CANCELLED)
            or (known.log and writer != hold.handler)
        ):
            return False
        is_decided = row.task.claims == hold.claim and row.task.status in (Status.RUNNING, Status.DONE)
        return not is_decided or row.task.hold == hold

    def _attempt_with(self, late_log: LateLog) -> Attempt:
        task, record = self._state.rows[late_log.hold.task].task, late_log.record
        known = self._state.attempts.get((task.id, record.claim))
        if known and known.outcome is not Outcome.RUNNING:
            return replace(known, log=record.log)
        was_cancelled = task.status is Status.CANCELLED and task.claims == record.claim
        outcome = Outcome.CANCELLED if was_cancelled else record.outcome
        return replace(known or record, outcome=outcome, ended=record.ended, log=record.log)

    def _is_held(self, hold: Hold) -> bool:
        row = self._state.rows.get(hold.task)
        return row is not None and row.task.status is Status.RUNNING and row.task.hold == hold
