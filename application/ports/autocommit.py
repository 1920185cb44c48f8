"""The autocommit store: add, claim, renew, settle, view and look for lapsed leases, each a transaction of its own."""

from collections.abc import Collection, Mapping, Sequence, Set
from datetime import datetime
from typing import NamedTuple, Protocol

from application.ports.limits import LimitedClaim, LimitedClaimRequest
from application.ports.queue import (
    ClaimedRecord,
    ClaimRequest,
    LeaseObservation,
    ProgressReport,
    RenewalResult,
    SettleResult,
)
from application.ports.task_repository import ANY_SIZE, TaskRecord, Version
from domain.ids import Hold, TaskId, TypeName
from domain.lease import Lease
from domain.settlement import RunningLog, Settlement
from domain.status import Status
from domain.submission import Submission
from domain.task import Task


class StoredResult(NamedTuple):
    """The status and the end of a task, and its result as JSON text where that was read."""

    status: Status
    finished: datetime | None
    text: str | None = None


class AutocommitStore(Protocol):
    """The operations that need no unit of work around them.

    An operation that has returned is committed. An operation that has raised has changed nothing, unless only its
    answer was lost on the way.

    Raises StorageUnavailable from any method: the storage is away.
    """

    def add(self, submissions: Sequence[Submission]) -> Sequence[Task | None]:
        """Add tasks, and return them in the order given.

        Before: the tasks are unknown. After: each is waiting under an id of its own; ids rise in the order given.

        None stands for each submission whose key belongs to a task already, or to an earlier submission of the same
        call: it is not added.

        Raises StorageConflict: another transaction has not decided for long whether it takes one of the keys.
        """
        ...

    def claim(self, lease: Lease, now: datetime, request: ClaimRequest) -> Sequence[ClaimedRecord]:
        """Claim tasks for the handler of the lease, and return them in the order of claiming.

        Before: the tasks are waiting, due at `now`, of a requested type and not locked; where the request has a cursor
        for their type and priority, they stand behind it. After: each is running under the lease, and the number of
        its claims is one higher. The first `request.starting` of them have `now` as `started`, the others have none.

        - Order: higher priority first. Within a priority the types take turns in the order of `request.most`, one task
          a turn. Within a type and priority: by `run_at`, then id.
        - Bounds: `request.most` for each type over all its priorities, `request.max_slow` for the slow types together,
          `request.limit` for all tasks, `request.max_bytes` for their arguments. Each bound keeps the first tasks of
          the order. The first task of all is claimed however large its arguments are.
        - Limits: no task of a limited type is claimed.
        - Locks: locked tasks are skipped, so that a claim never waits for a lock.
        - Odd tasks: a task that the storage cannot claim, such as one that has no attempt left, is set aside as failed
          with the reason, or left out for a while where even that is refused. Its neighbours are claimed.

        A claim whose answer was lost may have been carried out: its tasks then run under claims that the handler does
        not know of.
        """
        ...

    def limited_types(self) -> Set[TypeName]:
        """The types that have limits, declared or set by an operator, paused ones among them."""
        ...

    def claim_limited(
        self, lease: Lease, now: datetime, request: LimitedClaimRequest, settlements: Sequence[Settlement] = ()
    ) -> LimitedClaim:
        """Write settlements as Queue.settle does, then claim tasks of limited types, all of which start now.

        It tells what kept it from claiming more. Both are done together or not at all, so that a task that has ended
        gives its place to the next one by one commit.

        Before and after as of `claim`, with the same order, locks and odd tasks. Each task has `now` as `started`.

        - At once: after it, no more tasks of a type run than its `at_once`, unless more ran before.
        - Rate: starts are counted by the storage's own clock, however long ago their tasks have ended.
        - Lanes: of a type with lanes, the lanes of one priority take turns, one task a turn, beginning behind the lane
          whose turn it was last. In a lane tasks are in the order of `run_at`, then id. No more tasks of a lane run
          than its `at_once_per_lane`. Types with lanes are claimed one after the other, apart from the other types.
        - A type without limits is not claimed.

        Claims of one type come one after the other, whichever handlers make them.

        Where it raises, nothing was done, or its answer was lost. Each settlement may then be written by `settle`.
        """
        ...

    def settle(self, settlements: Sequence[Settlement]) -> SettleResult:
        """Write settlements as Queue.settle does; those that are not refused are written.

        Where it raises, some of the settlements may be written: all of them are to be settled again.

        Raises StorageConflict: another transaction has locked one of the tasks for more than a moment.
        Raises OutcomeRefused: one of the settlements cannot be stored, for a reason of its own.
        """
        ...

    def settle_unlocked(self, settlements: Sequence[Settlement]) -> SettleResult:
        """Write settlements as `settle` does, but skip what is locked."""
        ...

    def renew(self, holds: Sequence[Hold], lease: Lease) -> RenewalResult:
        """Renew leases as Queue.renew does, in one round trip.

        A lease whose row refuses the change is not renewed, and is neither lost nor locked.
        """
        ...

    def report(self, reports: Sequence[ProgressReport]) -> Sequence[Hold]:
        """Store starts and progress as Queue.report does, and return the holds of locked tasks.

        A task whose row refuses the change counts as locked.
        """
        ...

    def report_logs(self, logs: Sequence[RunningLog]) -> Sequence[Hold]:
        """Store the output so far of runs that go on, and return the holds of locked tasks, which are skipped.

        Before: the tasks are running under these claims. After: their starts have these records, and their versions are
        others. Tasks that are no longer held are left alone. A log whose row refuses the change is dropped.

        The last moment of it may be lost where the storage crashes.
        """
        ...

    def observe_leases(self) -> LeaseObservation:
        """Make a trial write, and return the leases of all running tasks, in one round trip.

        Before and after: the same tasks. The trial write succeeds if a renewal of unlocked tasks would: it takes the
        lock of the table that a renewal takes, and its commit has to reach the disk if a task runs, but it changes no
        row and waits for none. The leases are read after it has got the lock.

        Raises StorageConflict: another transaction has locked the table.
        Raises StorageUnavailable: the storage is away, or accepts no writes.
        """
        ...

    def lapsed(self, leases: Collection[Lease], limit: int, left_out: Collection[TaskId] = ()) -> Sequence[Task]:
        """Return the tasks that Queue.lapsed would lock. They are locked no longer than the call.

        Each was written as a renewal writes it, unless a row refuses every write. Raises StorageUnavailable: a renewal
        would fail, too, as on a full disk.
        """
        ...

    def get_many(self, ids: Collection[TaskId], max_bytes: int = ANY_SIZE) -> Mapping[TaskId, TaskRecord]:
        """Return the record of each existing task. Unknown ids are omitted.

        A record is a summary if the arguments and the result of its task have more than `max_bytes` together.
        """
        ...

    def results(self, known: Mapping[TaskId, datetime | None], max_bytes: int) -> Mapping[TaskId, StoredResult]:
        """Return the state of each existing task, with the result of one that is done. Unknown ids are omitted.

        `known`: in the order in which results are needed, the ends of the tasks whose results the caller has; None of
        the others. A result is left out where the task has still ended then, and where it and those before it have more
        than `max_bytes` together; the first one that is read may have more.
        """
        ...

    def versions(self, ids: Collection[TaskId]) -> Mapping[TaskId, Version]:
        """Return the version of each existing task. Unknown ids are omitted."""
        ...

    def changed(self, known: Mapping[TaskId, Version]) -> Mapping[TaskId, TaskRecord | None]:
        """Return a summary of each task whose version is another than the known one; None for an id without a task.

        The summaries have no delivery. A task that cannot be read is left out until it can be.
        """
        ...
