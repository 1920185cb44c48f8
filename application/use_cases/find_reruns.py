"""Find the task that a task runs again, and those that run it again."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.conflict_retry import retry_on_conflict
from application.ports.unit_of_work import Begin
from domain.ids import TaskId

MAX_RERUNS_SHOWN = 20
"""The newest reruns of a task that are named: it may have thousands."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """The origin of a task, which may be deleted, and its reruns, the newest first.

    `has_more`: whether it has older reruns too.
    """

    origin: TaskId | None
    reruns: Sequence[TaskId] = ()
    has_more: bool = False


class FindReruns:
    """Finds the neighbours of one task. A task that does not exist has none."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    @retry_on_conflict
    def __call__(self, task: TaskId) -> Lineage:
        """The origin and the reruns of the task."""
        with self._begin() as work:
            origin, reruns = work.reruns.origin(task), work.reruns.of(task, MAX_RERUNS_SHOWN + 1)
        return Lineage(origin, reruns[:MAX_RERUNS_SHOWN], len(reruns) > MAX_RERUNS_SHOWN)
