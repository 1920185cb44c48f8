"""The queue: leases, reports and settlements of claimed tasks. Every write names the claim that it was made under."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.ids import HandlerId, Hold, TaskId, TypeName
from domain.lease import Lease
from domain.progress import Progress
from domain.settlement import LateLog, Settlement
from domain.task import Task


class ClaimedRecord(NamedTuple):
    """A task that runs under the lease of the handler that claimed it, and its arguments as JSON text."""

    task: Task
    args: str


MAX_CHARACTER_BYTES = 4
"""Bytes of one character of arguments in UTF-8."""


def fills(claimed: Sequence[ClaimedRecord], limit: int, max_bytes: int) -> bool:
    """Whether a claim with these bounds may have left tasks that wait, since it has taken these."""
    return len(claimed) >= limit or MAX_CHARACTER_BYTES * sum(len(each.args) for each in claimed) >= max_bytes


class Cursor(NamedTuple):
    """Keyset cursor: `run_at` and id of the last task that was claimed of one type and priority."""

    run_at: datetime
    id: TaskId


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """The tasks that a handler asks for in one claim.

    - `most`: the requested types in the order in which they take turns, and the most tasks of each.
    - `limit`: the most tasks of all types.
    - `max_bytes`: the most bytes of all arguments together; the first task may exceed it alone.
    - `starting`: the number of tasks that start at once. A task that is claimed ahead of them and never starts costs
      nothing.
    - `slow`: the types that count as slow.
    - `max_slow`: the most tasks of all slow types together.
    - `cursors`: for pairs of type and priority. Only tasks behind the cursor of their pair are requested.
    """

    most: Mapping[TypeName, int]
    limit: int
    max_bytes: int
    starting: int
    slow: frozenset[TypeName] = frozenset()
    max_slow: int = 0
    cursors: Mapping[tuple[TypeName, int], Cursor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProgressReport:
    """The start of a run that goes on, and its progress if its function has reported any."""

    hold: Hold
    started: datetime
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class RenewalResult:
    """The holds whose leases were not renewed.

    - `lost`: holds that no longer exist.
    - `locked`: holds of tasks that another transaction has locked.
    """

    lost: Sequence[Hold] = ()
    locked: Sequence[Hold] = ()


@dataclass(frozen=True, slots=True)
class SettleResult:
    """The settlements that were not written.

    - `refused`: tasks that are no longer held; never to be written.
    - `busy`: settlements whose task, or the record of whose start, another transaction has locked.
    - `unstorable`: settlements of which not even the failure of the task can be stored; never to be written.
    - `parents_ended`: whether other settlements were written of tasks that have dependents.
    """

    refused: Sequence[TaskId] = ()
    busy: Sequence[Settlement] = ()
    unstorable: Sequence[Settlement] = ()
    parents_ended: bool = False


def merged(results: Iterable[SettleResult]) -> SettleResult:
    """The results of several batches as one."""
    parts = list(results)
    return SettleResult(
        refused=[id for part in parts for id in part.refused],
        busy=[each for part in parts for each in part.busy],
        unstorable=[each for part in parts for each in part.unstorable],
        parents_ended=any(part.parents_ended for part in parts),
    )


@dataclass(frozen=True, slots=True)
class LeaseObservation:
    """The leases of all running tasks at one moment.

    - `leases`: with the seconds for which their handlers take leases, where these are known.
    - `up_since`: the moment when the storage last started, by its own clock: another value means another start.
    """

    leases: Mapping[Lease, float | None]
    up_since: datetime


class Queue(Protocol):
    """Running tasks. Renewing, reporting and taking back skip locked tasks; settling waits a moment for the lock."""

    def renew(self, holds: Sequence[Hold], lease: Lease) -> RenewalResult:
        """Renew leases, and return the holds whose leases were not renewed.

        Before: the tasks are running under these claims. After: they run under the lease given.

        Locked tasks are left under the lease that they have: a renewal waits for no row.
        """
        ...

    def lost(self, holds: Sequence[Hold]) -> Sequence[Hold]:
        """Return the holds that no longer exist: the task was cancelled, taken back or deleted. Changes nothing."""
        ...

    def held_by(self, handler: HandlerId) -> Sequence[Hold]:
        """Return the holds of all tasks that run under leases of this handler. Changes nothing."""
        ...

    def report(self, reports: Sequence[ProgressReport]) -> Sequence[Hold]:
        """Store starts and progress, and return the holds of locked tasks, which are skipped.

        Before: the tasks are running under these claims. After: they have started, and progressed as reported.
        Tasks that are no longer held are left alone.
        """
        ...

    def settle(self, settlements: Sequence[Settlement]) -> Sequence[TaskId]:
        """Write settlements, and return the ids of the tasks whose settlement was refused.

        Before: the tasks are running under the claims of the settlements. After: they are as the settlements say.

        A settlement is refused where its task is no longer held; the others are written all the same. A settlement
        that was written before is not refused: it may be repeated when its answer was lost.
        """
        ...

    def settle_unlocked(self, settlements: Sequence[Settlement]) -> SettleResult:
        """Write settlements as `settle` does, but skip what is locked."""
        ...

    def record_late_logs(self, late_logs: Sequence[LateLog]) -> Sequence[LateLog]:
        """Store the logs of runs that are no longer held, and return those whose task or record is locked.

        May be repeated.

        Before: the tasks are no longer held under these claims. After: the log is part of the record of its start,
        where the task still exists, and the outcome and the log of that start are not known.
        """
        ...

    def lapsed(self, leases: Collection[Lease], limit: int, left_out: Collection[TaskId] = ()) -> Sequence[Task]:
        """Lock and return at most `limit` running tasks under these leases, those of the oldest lease first.

        Locked tasks are skipped, and so are those that are left out.
        """
        ...

    def running_under(self, handler: HandlerId, limit: int, known: Collection[Hold] = ()) -> Sequence[Task]:
        """Lock and return at most `limit` running tasks under leases of this handler, lapsed or not.

        Tasks of the known holds are neither locked nor returned.
        """
        ...
