"""Single steps in memory: each is a work of its own."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from application.ports.queue import ClaimedRecord, ClaimRequest
from application.ports.task_repository import TaskRecord, Version
from application.ports.unit_of_work import Begin
from domain.ids import TaskId
from domain.lease import Lease
from domain.settlement import Settlement
from domain.submission import Submission
from domain.task import Task


class MemoryAutocommitStore:
    """Implements application.ports.autocommit.AutocommitStore, by the works that are given."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    def add(self, submissions: Sequence[Submission]) -> Sequence[Task | None]:
        with self._begin() as work:
            added = work.tasks.add(submissions)
            work.commit()
        return added

    def claim(self, lease: Lease, now: datetime, wanted: ClaimRequest) -> Sequence[ClaimedRecord]:
        with self._begin() as work:
            claimed = work.queue.claim(lease, now, wanted)
            work.commit()
        return claimed

    def settle(self, settlements: Sequence[Settlement]) -> Sequence[TaskId]:
        with self._begin() as work:
            refused = work.queue.settle(settlements)
            work.commit()
        return refused

    def get_many(self, ids: Collection[TaskId]) -> Mapping[TaskId, TaskRecord]:
        with self._begin() as work:
            found = {id: work.tasks.get(id) for id in ids}
        return {id: stored for id, stored in found.items() if stored}

    def versions(self, ids: Collection[TaskId]) -> Mapping[TaskId, Version]:
        with self._begin() as work:
            return work.tasks.versions(ids)
