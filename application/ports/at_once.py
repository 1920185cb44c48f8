"""What is asked of the storage in one step, without a work around it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from application.ports.tasks import Stored, Version
from domain.ids import TaskId
from domain.submission import Submission
from domain.task import Task


class AtOnce(Protocol):
    """What has returned lasts; what has failed did not happen, unless the answer was lost on its way.

    StorageUnavailable from any of its methods where the storage is away.
    """

    def add(self, submissions: Sequence[Submission]) -> Sequence[Task]:
        """Before: unknown, without keys. After: waiting, all of them, with ids that rise in the order given."""
        ...

    def several(self, ids: Collection[TaskId]) -> Mapping[TaskId, Stored]:
        """Those of them that are there, as they stand."""
        ...

    def versions(self, ids: Collection[TaskId]) -> Mapping[TaskId, Version]:
        """Numbers that are others whenever the tasks are; none for what is not there."""
        ...
