"""The limited types of a handler: when each may have a task that can start, and whether it is their turn."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from math import inf

from application.ports.limits import Bound, Bounded, LimitedClaim
from application.ports.wake_up import Topic
from application.supervisor.claim_cursors import ClaimCursors
from domain.ids import TypeName
from domain.task import Task

POLL_SECONDS = 1.0
"""Seconds after which a type is claimed again, whatever has kept a claim from taking a task of it."""
SOONER_SECONDS = {Bound.REQUEST: 0.0, Bound.LOCK: 0.05}
"""The same where that is sooner: more tasks may wait than were asked for, or another transaction had locked a row."""
MIN_EMPTY_SECONDS = 0.02
"""Seconds between two claims of a type without a due task: a notification may be of a task of another type."""
KNOWN_SECONDS = 1.0
"""Seconds for which the names of the limited types are used before they are read again."""
WOKEN_BOUNDS = {
    Topic.WAITING: {Bound.TASKS, Bound.LANES},
    Topic.TAKEN: {Bound.PLACES, Bound.LANES},
    Topic.ENDED: {Bound.PLACES, Bound.LANES},
    Topic.LIMITS: {Bound.LANES, Bound.PLACES, Bound.RATE, Bound.PAUSE},
}
"""The bounds that a notification may have lifted."""


@dataclass(slots=True)
class LimitedTypes:
    """Only the supervisor's thread uses it, with one exception that is named below.

    - `turns`: the limited types that can be run here, in the order in which they take turns.
    - `cursors`: the cursors of their claims.
    - `notified`: topics of notifications that were not acted on yet. Any thread may add to it.
    - `is_their_turn`: whether the next free slot is theirs, while tasks of other types wait for one too.
    - `read_at`: the monotonic time at which the storage was last asked which types are limited.
    """

    turns: list[TypeName] = field(default_factory=list)
    cursors: ClaimCursors = field(default_factory=ClaimCursors)
    notified: set[Topic] = field(default_factory=set)
    is_their_turn: bool = True
    read_at: float = -inf
    _due: dict[TypeName, float] = field(default_factory=dict)
    _bounds: dict[TypeName, Bound] = field(default_factory=dict)
    _claimed_at: float = -inf

    def __contains__(self, type: TypeName) -> bool:
        return type in self._due

    def set(self, types: Iterable[TypeName]) -> None:
        """Replace the types. New ones may have tasks; those that were known keep their turn."""
        limited = {*types}
        self.turns = [type for type in self.turns if type in limited]
        self.turns += sorted(limited - {*self.turns})
        self._due = {type: self._due.get(type, -inf) for type in self.turns}
        self._bounds = {type: bound for type, bound in self._bounds.items() if type in limited}

    def are_outdated(self, now: float) -> bool:
        """Whether the storage was asked so long ago which types are limited that it is to be asked again."""
        return now - self.read_at >= KNOWN_SECONDS

    def may_start(self, now: float) -> bool:
        """Whether it is their turn, and a task of one may start, so far as is known without the notifications.

        Those wait for the answer of the claim that may be under way, which may be older than they are.
        """
        return self.is_their_turn and any(due <= now for due in self._due.values())

    def due(self, now: float) -> Sequence[TypeName]:
        """The types of which a task may start, in the order of turns."""
        self._apply_notifications(now)
        return [type for type in self.turns if self._due[type] <= now]

    def due_in(self, now: float) -> float:
        """Seconds until a task of any type may start; inf without types."""
        self._apply_notifications(now)
        return min(self._due.values(), default=inf) - now

    def record_claim(self, answer: LimitedClaim, now: float) -> None:
        """Learn from a claim what keeps each type from starting more, and move the types that it took to the end."""
        for type, bounded in answer.bounds.items():
            if type in self._due:
                self._bounds[type], self._due[type] = bounded.by, now + _pause_seconds(bounded)
        self._claimed_at = now
        self.cursors.advance(answer.claimed)
        taken = {each.task.type for each in answer.claimed}
        self.turns.sort(key=lambda type: type in taken)
        if taken:
            self.is_their_turn = False

    def record_settled(self, tasks: Iterable[Task], now: float) -> Set[TypeName]:
        """Note that these tasks run no more, and return those of their types that are limited."""
        types = {task.type for task in tasks if task.type in self._due} if self._due else set()
        self._wake(types, WOKEN_BOUNDS[Topic.ENDED], now)
        return types

    def _apply_notifications(self, now: float) -> None:
        for topic in self.notified & WOKEN_BOUNDS.keys():
            self.notified.discard(topic)
            earliest = max(now, self._claimed_at + MIN_EMPTY_SECONDS) if topic is Topic.WAITING else now
            self._wake(self._due.keys(), WOKEN_BOUNDS[topic], earliest)

    def _wake(self, types: Iterable[TypeName], bounds: Set[Bound], at: float) -> None:
        for type in types:
            if self._bounds.get(type) in bounds:
                self._due[type] = min(self._due[type], at)


def _pause_seconds(bounded: Bounded) -> float:
    """Seconds after which a type with this bound is claimed again without a notification."""
    if bounded.by is Bound.RATE:
        return min(bounded.seconds, POLL_SECONDS)
    return SOONER_SECONDS.get(bounded.by, POLL_SECONDS)
