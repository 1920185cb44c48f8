"""The task repository: tasks by id, as the use cases submit, view and change them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, NewType, Protocol

from domain.delivery import Delivery
from domain.ids import IdempotencyKey, Owner, TaskId
from domain.settlement import Attempt
from domain.submission import Submission
from domain.task import Task

Version = NewType("Version", int)
"""A number that changes whenever the stored row of a task does."""
UNKNOWN_VERSION = Version(0)
ANY_SIZE = 2**62
"""More bytes than any task has."""
LARGE_BYTES = 256 * 1024
"""Bytes of arguments and result above which a task is large: it is read and added alone, and holds up no other."""


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task with the values that are stored beside it.

    - `args`, `result`: JSON texts.
    - `version`: UNKNOWN_VERSION where the record was not read from the storage.
    - `delivery`: how far the callback of a finished task has been delivered, where the task has one.
    - `is_summary`: whether arguments and result are left out, since they have more bytes than were asked for.
    - `printed`: the time up to which the output of a start was stored while it went on; None if none ever was.
    - `key`: the idempotency key, where the record was read from the storage.
    - `parents`: the tasks that it waits or has waited for, by rising id.
    """

    task: Task
    args: str
    result: str | None = None
    version: Version = field(default=UNKNOWN_VERSION, compare=False)
    delivery: Delivery | None = None
    is_summary: bool = False
    printed: datetime | None = None
    key: IdempotencyKey | None = None
    parents: tuple[TaskId, ...] = ()


class KeyOwner(NamedTuple):
    """The task that has a key, and the fingerprint of the request that submitted it."""

    task: TaskId
    fingerprint: str | None


MAX_ATTEMPTS_SHOWN = 50
"""The most records of starts that are shown of one task: it may have thousands."""


class TaskRepository(Protocol):
    """Every task by its id. Ids are whole numbers from 1 that rise in the order of adding."""

    def add(self, submissions: Sequence[Submission]) -> Sequence[Task | None]:
        """Add tasks as AutocommitStore.add does; they are stored once the unit of work is committed.

        One that has dependencies is blocked; DependencyRepository.add adds its parents.
        """
        ...

    def lock_owner(self, owner: Owner) -> None:
        """Let no other unit of work that locks the owner go on until this one has ended."""
        ...

    def waiting_of(self, owner: Owner, limit: int) -> int:
        """Return how many tasks of an owner wait, those added by this unit of work included; at most `limit`.

        Those that were added without an owner do not count.
        """
        ...

    def key_owners(self, keys: Collection[IdempotencyKey]) -> Mapping[IdempotencyKey, KeyOwner]:
        """Return the task that has each key. Keys that no task has are omitted."""
        ...

    def get(self, id: TaskId, max_bytes: int = ANY_SIZE) -> TaskRecord | None:
        """Return the record of a task; None if there is no such task.

        It is a summary if arguments and result have more than `max_bytes` together.
        """
        ...

    def attempts(self, id: TaskId) -> Sequence[Attempt]:
        """Return the records of the task's last starts, at most MAX_ATTEMPTS_SHOWN, in the order of the starts.

        The one that goes on has the outcome RUNNING. A start that had stored output, and whose end left no record, has
        ended as its task has, or was lost if its task has not.
        """
        ...

    def lock(self, *ids: TaskId) -> Sequence[Task]:
        """Lock the existing tasks of these ids until the unit of work ends, and return them by rising id."""
        ...

    def lock_free(self, *ids: TaskId) -> Sequence[Task]:
        """Lock those of the tasks that exist and that no other transaction has locked, and return them by rising id."""
        ...

    def save(self, *tasks: Task) -> None:
        """Store tasks as given. Before: locked by this unit of work. After: as given."""
        ...

    def replace_args(self, args: Mapping[TaskId, str]) -> None:
        """Replace the arguments of tasks. Before: added blocked by this unit of work. After: with these arguments."""
        ...

    def remove(self, *ids: TaskId) -> None:
        """Delete tasks. Before: locked by this unit of work. After: unknown."""
        ...
