"""The queue: what handlers take, keep, give back and settle. Every write names the claim it was made under."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.ids import Hold, TaskId, TypeName
from domain.lease import Lease
from domain.progress import Progress
from domain.settlement import Settlement
from domain.task import Task


@dataclass(frozen=True, slots=True)
class Claimed:
    """A task that now runs under this handler's lease, and its arguments as JSON text."""

    task: Task
    args: str


@dataclass(frozen=True, slots=True)
class Report:
    """What there is to say of a run that goes on: when its function started, and how far it is."""

    hold: Hold
    started: datetime
    progress: Progress | None = None


class Queue(Protocol):
    """Waiting and running tasks. `claim` and `abandoned` skip what others have locked; the rest waits for it."""

    def claim(
        self, lease: Lease, now: datetime, wanted: Mapping[TypeName, int], limit: int, max_bytes: int
    ) -> Sequence[Claimed]:
        """Before: waiting and due. After: running under the lease, each with a claim of its own.

        At most `limit` tasks, at most the wanted number of each type, and no more arguments than `max_bytes` together
        unless one task alone has more. Higher priority first; within one priority types take turns in the order of
        `wanted`; within a type by `run_at`, then id.
        """
        ...

    def renew(self, holds: Sequence[Hold], lease: Lease) -> Sequence[Hold]:
        """Before: running under these claims. After: under the lease given. Answers those not held any more."""
        ...

    def lost(self, holds: Sequence[Hold]) -> Sequence[Hold]:
        """Those of these claims that are not held any more: cancelled, taken back, gone. Changes nothing."""
        ...

    def report(self, reports: Sequence[Report]) -> None:
        """Before: running under these claims. After: started, and as far as reported. Others are left alone."""
        ...

    def settle(self, settlements: Sequence[Settlement]) -> Sequence[TaskId]:
        """Before: running under the claims of these tasks. After: as given. Answers the refused, and writes the others.

        Refused is what is not held any more. A settlement that was written before is no refusal: it may be repeated
        when nobody knows whether it arrived.
        """
        ...

    def abandoned(self, now: datetime, limit: int) -> Sequence[Task]:
        """Running tasks whose lease has lapsed, the longest first, locked by this work. Changes nothing."""
        ...

    def up_since(self) -> datetime:
        """When the storage last started: before that, nobody could renew."""
        ...
