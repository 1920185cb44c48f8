"""Storing: tasks one by one, as people submit, view and change them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, NewType, Protocol

from domain.delivery import Delivery
from domain.ids import IdempotencyKey, TaskId
from domain.settlement import Attempt
from domain.submission import Submission
from domain.task import Task

Version = NewType("Version", int)
UNKNOWN_VERSION = Version(0)


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task with the JSON texts that travel beside it, and the version that it has in the storage; 0 is not known.

    `delivery` says how far the address of a finished task has been told, where it has one.
    """

    task: Task
    args: str
    result: str | None = None
    version: Version = field(default=UNKNOWN_VERSION, compare=False)
    delivery: Delivery | None = None


class KeyOwner(NamedTuple):
    """A task that has a key, and the fingerprint of the request that made it."""

    task: TaskId
    fingerprint: str | None


MAX_ATTEMPTS_SHOWN = 50
"""How many records of starts are shown: a task may have thousands."""


class TaskRepository(Protocol):
    """Every task there is, by id. Ids are whole numbers from 1 that rise in the order of adding."""

    def add(self, submissions: Sequence[Submission]) -> Sequence[Task | None]:
        """Before: unknown. After: waiting, each with an id of its own; in the order given.

        None for each whose key a task has already, or an earlier one of these: that one is not added.
        """
        ...

    def key_owners(self, keys: Collection[IdempotencyKey]) -> Mapping[IdempotencyKey, KeyOwner]:
        """The tasks that have these keys, as far as there are any."""
        ...

    def get(self, id: TaskId) -> TaskRecord | None:
        """The task as it stands; None if there is none."""
        ...

    def versions(self, ids: Collection[TaskId]) -> Mapping[TaskId, Version]:
        """Numbers that are others whenever the tasks are; none for what is not there."""
        ...

    def attempts(self, id: TaskId) -> Sequence[Attempt]:
        """The records of its last starts that were kept, at most LATEST, the first one first."""
        ...

    def lock(self, *ids: TaskId) -> Sequence[Task]:
        """Those of them that are there, by rising id; nobody else changes them until the work ends."""
        ...

    def save(self, *tasks: Task) -> None:
        """Before: locked by this work. After: as given."""
        ...

    def remove(self, id: TaskId) -> None:
        """Before: locked by this work. After: unknown."""
        ...
