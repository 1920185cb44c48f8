"""The queue: what handlers take, keep, give back and settle. Every write names the claim it was made under."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.ids import HandlerId, Hold, TaskId, TypeName
from domain.lease import Lease
from domain.progress import Progress
from domain.settlement import LateLog, Settlement
from domain.task import Task


class ClaimedRecord(NamedTuple):
    """A task that now runs under this handler's lease, and its arguments as JSON text."""

    task: Task
    args: str


class Cursor(NamedTuple):
    """A place in the line of the waiting tasks of one type and priority, which stand there by `run_at`, then id."""

    run_at: datetime
    id: TaskId


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """How many tasks of each type, in the order in which types take turns.

    At most `limit` in all, and of the `slow` types at most `most_slow` together. Their arguments have at most
    `max_bytes`, unless the first alone has more. `starting` is how many start at once: what is claimed ahead of that
    may come to nothing, without anything being lost. Of a type and priority for which `marks` has a place, only what
    stands behind it is wanted.
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
    """What there is to say of a run that goes on: when its function started, and how far it is."""

    hold: Hold
    started: datetime
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class RenewalResult:
    """What is not held any more, and what somebody else has locked."""

    lost: Sequence[Hold] = ()
    locked: Sequence[Hold] = ()


class Queue(Protocol):
    """Waiting and running tasks. Claiming and taking back skip what others have locked; the rest waits for it."""

    def claim(self, lease: Lease, now: datetime, wanted: ClaimRequest) -> Sequence[ClaimedRecord]:
        """Before: waiting and due. After: running under the lease, each with a claim of its own.

        Higher priority first; within one priority types take turns in the order of `wanted.most`; within a type by
        `run_at`, then id. The first `wanted.starting` are on record as started now.
        """
        ...

    def renew(self, holds: Sequence[Hold], lease: Lease) -> RenewalResult:
        """Before: running under these claims. After: under the lease given, but for those that are answered.

        What somebody has locked is waited for a moment, and stays under the lease that it has if that is not enough.
        """
        ...

    def lost(self, holds: Sequence[Hold]) -> Sequence[Hold]:
        """Those of these claims that are not held any more: cancelled, taken back, gone. Changes nothing."""
        ...

    def held_by(self, handler: HandlerId) -> Sequence[Hold]:
        """All that is running under leases of this handler. Changes nothing."""
        ...

    def report(self, reports: Sequence[ProgressReport]) -> None:
        """Before: running under these claims. After: started, and as far as reported. Others are left alone."""
        ...

    def settle(self, settlements: Sequence[Settlement]) -> Sequence[TaskId]:
        """Before: running under the claims of these tasks. After: as given. Answers the refused, and writes the others.

        Refused is what is not held any more. A settlement that was written before is no refusal: it may be repeated
        when nobody knows whether it arrived.
        """
        ...

    def record_late_logs(self, late_logs: Sequence[LateLog]) -> None:
        """Before: not held any more. After: on record, where the tasks still exist. May be repeated."""
        ...

    def lapsed(self, now: datetime, limit: int) -> Sequence[Task]:
        """Running tasks whose lease has lapsed, the longest first, locked by this work. Changes nothing."""
        ...

    def running_under(self, handler: HandlerId, limit: int) -> Sequence[Task]:
        """Running tasks under leases of this handler, whatever its leases say, locked by this work. Changes nothing."""
        ...

    def up_since(self) -> datetime:
        """When the storage last started: before that, nobody could renew."""
        ...
