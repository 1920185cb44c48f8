"""What is asked of the storage in one step, without a work around it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from application.ports.queue import ClaimedRecord, ClaimRequest
from application.ports.task_repository import TaskRecord, Version
from domain.ids import TaskId
from domain.lease import Lease
from domain.settlement import Settlement
from domain.submission import Submission
from domain.task import Task


class AutocommitStore(Protocol):
    """What has returned lasts; what has failed did not happen, unless the answer was lost on its way.

    StorageUnavailable from any of its methods where the storage is away.
    """

    def add(self, submissions: Sequence[Submission]) -> Sequence[Task | None]:
        """Before: unknown. After: waiting, each with an id of its own; in the order given.

        None for each whose key a task has already, or an earlier one of these: that one is not added. StorageConflict
        where somebody takes long to make up his mind about a key.
        """
        ...

    def claim(self, lease: Lease, now: datetime, wanted: ClaimRequest) -> Sequence[ClaimedRecord]:
        """As Queue.claim."""
        ...

    def settle(self, settlements: Sequence[Settlement]) -> Sequence[TaskId]:
        """As Queue.settle. Where it has failed, some may be written, and all are to be settled again."""
        ...

    def get_many(self, ids: Collection[TaskId]) -> Mapping[TaskId, TaskRecord]:
        """Those of them that are there, as they stand."""
        ...

    def versions(self, ids: Collection[TaskId]) -> Mapping[TaskId, Version]:
        """Numbers that are others whenever the tasks are; none for what is not there."""
        ...
