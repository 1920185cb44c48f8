"""Dependencies: which tasks wait for which, and the ones on which can be decided."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from domain.dependencies import Dependencies, Dependent
from domain.ids import BatchId, TaskId


@dataclass(frozen=True, slots=True)
class Undecided:
    """Dependents of parents that have changed, locked by the unit of work.

    `is_full`: whether the limit has ended the batch, so that there may be more. What was skipped is not meant.
    """

    dependents: Sequence[Dependent] = ()
    is_full: bool = False


class DependencyRepository(Protocol):
    """The parents of tasks.

    A parent has changed once it has finished, was retried or is deleted, whatever transaction did that; and so has one
    parent of each task that was added or retried to be blocked. Each change is kept until the dependents of the parent
    were looked at after it. A parent that was deleted stays a parent.
    """

    def add(self, dependencies: Mapping[TaskId, Dependencies]) -> Set[TaskId]:
        """Add the parents of new tasks, and return those parents that do not exist.

        Before: the dependents were added blocked by this unit of work. After: they have these parents. Where parents
        do not exist, the unit of work must not be committed.
        """
        ...

    def after_batch(self, batch: BatchId, tasks: Collection[TaskId]) -> Set[TaskId]:
        """Return those of these tasks that wait, or have waited, for the end of a batch, also by way of others."""
        ...

    def parents_among(self, tasks: Collection[TaskId]) -> Mapping[TaskId, Set[TaskId]]:
        """Return those of these tasks for which others of them wait, or have waited, by the task that does."""
        ...

    def failed_by(self, parents: Collection[TaskId], limit: int) -> Sequence[Dependent]:
        """Lock and return dependents of these that have failed by a parent, at most `limit`.

        The parents are looked at after the dependents were locked. Locked dependents are skipped.
        """
        ...

    def take_undecided(self, limit: int, left_out: Collection[TaskId] = ()) -> Undecided:
        """Lock dependents of changed parents on which these may decide: those blocked, and those failed by a parent.

        The parents are looked at after the dependents were locked. A change that was looked at with all its dependents
        is forgotten with the commit. The limit is one of dependents, however many changes lead to them. Those behind
        it have their turn after the other changes. Locked dependents, and those left out, are skipped: another call
        looks at them.
        """
        ...

    def put_off(self, dependents: Collection[TaskId]) -> None:
        """Before: this unit of work has taken these, and leaves them as they are. After: another call takes them."""
        ...
