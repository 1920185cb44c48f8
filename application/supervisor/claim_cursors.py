"""Cursors of claims: where the last claim of each type and priority ended, so that the next one starts behind it."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from math import inf

from application.ports.queue import ClaimedRecord, Cursor
from domain.ids import TaskId, TypeName
from domain.task import Task

MAX_CURSORS = 1000
"""Pairs of type and priority beyond which all cursors are forgotten."""
FULL_CLAIM_PAUSE_FACTOR = 10
"""Pause after a full claim, in multiples of its duration: a tenth of the time may be spent on full claims."""
MAX_FULL_CLAIM_PAUSE_SECONDS = 2.0
"""Pause after a full claim at the most: a long one may have waited for a disk or a network just once.

A task that another process gave back may be overtaken by later ones for this long.
"""


@dataclass(slots=True)
class ClaimCursors:
    """Cursors by type and priority, and when they must not be used.

    A claimed task leaves a dead index entry, which stays while any snapshot may still see it: for hours, if a dump or a
    forgotten session keeps one open. A cursor skips these entries, and steps back to a task that this handler gives
    back. A full claim, which uses no cursors, finds the other tasks that have come to wait before a cursor since: tasks
    that another process gave back, or whose commit was slow.
    """

    _last: dict[tuple[TypeName, int], Cursor] = field(default_factory=dict)
    _stepped_back: dict[tuple[TypeName, int], Cursor] = field(default_factory=dict)
    _usable_until: float = -inf

    def usable(self, now: float) -> Mapping[tuple[TypeName, int], Cursor]:
        """Cursors for a claim that is sent at `now` of the monotonic clock; none if it is to be a full claim."""
        return dict(self._last) if now < self._usable_until else {}

    def advance(self, claimed: Sequence[ClaimedRecord]) -> None:
        """Move the cursors to the last task of each type and priority. `claimed` is in the order of claiming."""
        if len(self._last) > MAX_CURSORS:
            self._last.clear()
        last = {(task.type, task.priority): task for task, _ in claimed}
        self._last |= {pair: Cursor(task.run_at, task.id) for pair, task in last.items()}
        self._apply(self._stepped_back)
        self._stepped_back.clear()

    def step_back(self, waiting: Iterable[Task]) -> None:
        """Have the next claim find these tasks, which wait in the storage again.

        A claim under way may have passed them already, so its answer does not move their cursors past them.
        """
        for task in waiting:
            pair, cursor = (task.type, task.priority), Cursor(task.run_at, TaskId(task.id - 1))
            self._stepped_back[pair] = min(cursor, self._stepped_back.get(pair, cursor))
        self._apply(self._stepped_back)

    def full_claim_ended(self, now: float, seconds: float, types: Set[TypeName] | None = None) -> None:
        """Allow cursors after a full claim that took that many seconds.

        `types`: those that it was of; None for all. The next claim of another one has no cursors of it.
        """
        if types is not None:
            self._last = {pair: cursor for pair, cursor in self._last.items() if pair[0] in types}
        self._usable_until = now + min(FULL_CLAIM_PAUSE_FACTOR * seconds, MAX_FULL_CLAIM_PAUSE_SECONDS)

    def full_claim_due_in(self, now: float) -> float:
        """Seconds until the next claim has to be a full one; 0 or less if it has to be now."""
        return self._usable_until - now

    def _apply(self, stepped_back: Mapping[tuple[TypeName, int], Cursor]) -> None:
        self._last |= {pair: min(self._last[pair], each) for pair, each in stepped_back.items() if pair in self._last}
