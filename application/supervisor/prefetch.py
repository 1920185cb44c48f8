"""How many tasks to claim: what the executor will start within moments, and no more.

Quick tasks come in large batches and slow ones one a place, so that nobody waits behind a slow task while another
handler idles. While quick ones wait, here or in the storage, one place of several is theirs.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from application.ports.queue import ClaimedRecord, ClaimRequest
from application.supervisor.claimed import ClaimedTask, ClaimedTasks
from domain.ids import Hold, TypeName
from domain.task import Task

HORIZON_SECONDS = 0.1
"""Seconds of work that may be claimed ahead of a place that is, or soon will be, free; what takes longer is slow."""

MAX_TASKS = 1000
"""Tasks of a claim, and tasks that are claimed and have not begun: of what takes no time, so many are enough."""
MAX_BYTES = 16 * 1024 * 1024
MAX_CHARACTER_BYTES = 4
"""Bytes."""
LATEST_RUN_WEIGHT = 0.2
"""How much the latest run counts in the mean duration of its type."""

MIN_RUN_SECONDS = 1e-5


@dataclass(slots=True)
class Prefetch:
    """Mean durations by type, the order in which types take turns, and what the last claims came to.

    Of the `exhausted` types nothing was there when they were last asked for: one that brought less than was wanted may
    have more, behind what somebody has locked. Of those `cut_short` there may be more. What is `returning` was given
    back, and does not wait in the storage before that is written. The claim that is under way may have looked before,
    for all `unseen` types.
    """

    durations: dict[TypeName, float] = field(default_factory=dict)
    turns: list[TypeName] = field(default_factory=list)
    exhausted: set[TypeName] = field(default_factory=set)
    cut_short: set[TypeName] = field(default_factory=set)
    returning: dict[Hold, TypeName] = field(default_factory=dict)
    unseen: set[TypeName] = field(default_factory=set)

    def record_duration(self, type: TypeName, seconds: float) -> None:
        """A run of this type took so long."""
        mean = self.durations.get(type, seconds)
        self.durations[type] = max(mean + LATEST_RUN_WEIGHT * (seconds - mean), MIN_RUN_SECONDS)

    def set_types(self, types: Iterable[TypeName]) -> None:
        """These are the types that can be run; those that were there keep their place in the turns."""
        offered = list(types)
        self.turns = [type for type in self.turns if type in offered]
        self.turns += [type for type in offered if type not in self.turns]
        self.cut_short &= {*offered}
        self.exhausted &= {*offered}

    def claim_sent(self) -> None:
        """A claim is on its way."""
        self.unseen = {*self.returning.values()}

    def claim_answered(self, claimed: Sequence[ClaimedRecord], wanted: ClaimRequest) -> None:
        """These were claimed when so many were wanted. Their types come last now, the latest last of all.

        A claim behind marks does not tell what waits before them.
        """
        taken = Counter(each.task.type for each in claimed)
        claim_sent, bounded = wanted.most.keys(), _bounded(taken, claimed, wanted)
        if not wanted.cursors:
            self.cut_short = self.cut_short - claim_sent | self.unseen
        self.cut_short |= bounded & taken.keys()
        self.exhausted = self.exhausted - taken.keys() | (claim_sent - taken.keys() - bounded)
        for type in taken:
            if type in self.turns:
                self.turns.remove(type)
                self.turns.append(type)

    def claim_request(self, free: int, slots: int, tasks: ClaimedTasks, now: float) -> ClaimRequest:
        """How many to claim, in the order of turns; only types of which any are wanted.

        `free` runs could be started now, in `places` of which each runs one at a time.
        """
        ready = self._free_slots(free, slots, tasks, now)
        claimed_of_type = tasks.queued_of + tasks.next_of
        idle = max(min(free, slots) - len(tasks.queued), 0)
        max_slow = max(ready - self._reserved_slots(slots, claimed_of_type) - self._number_of_slow(tasks.queued_of), 0)
        quick = self._most_quick(ready, claimed_of_type, idle)
        slow = frozenset(self.turns) - quick.keys()
        most = {type: quick.get(type, max_slow) for type in self.turns}
        return ClaimRequest({type: n for type, n in most.items() if n > 0}, MAX_TASKS, MAX_BYTES, idle, slow, max_slow)

    def excess_slow(self, free: int, slots: int, tasks: ClaimedTasks, now: float) -> Sequence[ClaimedTask]:
        """The slow ones in the queue that would take a place which is kept for quick ones, or that is not there."""
        most = self._free_slots(free, slots, tasks, now) - self._reserved_slots(slots, tasks.queued_of + tasks.next_of)
        return [each for each in tasks.queued if self._is_slow(each.task.type)][max(most, 0) :]

    def released(self, tasks: Iterable[Task]) -> None:
        """These wait in the storage again as soon as that is written."""
        given = {task.hold: task.type for task in tasks}
        self.returning |= given
        self.unseen |= {*given.values()}
        self.cut_short |= {*given.values()}
        self.exhausted -= {*given.values()}

    def settled(self, holds: Iterable[Hold]) -> None:
        """What has become of these is written."""
        for hold in holds if self.returning else ():
            self.returning.pop(hold, None)

    def _free_slots(self, free: int, slots: int, tasks: ClaimedTasks, now: float) -> int:
        """How many places are free for what is queued, or soon will be."""
        occupied = sum(self._occupies_slot(each, now) for each in tasks.begun.values())
        occupied += self._number_of_slow(tasks.next_of)
        return min(free + len(tasks.running) - occupied, slots - occupied)

    def _reserved_slots(self, slots: int, claimed_of_type: Counter[TypeName]) -> int:
        """How many places are for quick ones alone: one, if it is not the only one, while any wait."""
        return 1 if slots > 1 and not all(map(self._is_slow, self.cut_short | claimed_of_type.keys())) else 0

    def _number_of_slow(self, number_of: Counter[TypeName]) -> int:
        return sum(n for type, n in number_of.items() if self._is_slow(type))

    def _most_quick(self, ready: int, claimed_of_type: Counter[TypeName], idle: int) -> Mapping[TypeName, int]:
        """How many of each quick type: as many as fit into what those share of which there may be some.

        One whose share is less than one of it takes is not passed over, but comes in turns.
        """
        room = refill(HORIZON_SECONDS * ready, sum(self._expected(type) * n for type, n in claimed_of_type.items()))
        left = int(refill(MAX_TASKS, claimed_of_type.total()))
        quick = [type for type in self.turns if not self._is_slow(type)]
        sharing = [type for type in quick if type not in self.exhausted] or quick
        share = room / max(len(sharing), 1)
        most = {type: max(idle, min(int(share / self.durations[type]), left)) for type in quick}
        for type in sharing:
            if room > 0 and not most[type]:
                most[type] = min(left, 1)
                room -= self.durations[type]
        return most

    def _is_slow(self, type: TypeName) -> bool:
        """Whether a run of it takes a place for itself; of what was never seen, that must be feared."""
        return self._expected(type) >= HORIZON_SECONDS

    def _expected(self, type: TypeName) -> float:
        return self.durations.get(type, HORIZON_SECONDS)

    def _occupies_slot(self, tasks: ClaimedTask, now: float) -> bool:
        """Whether nothing else will start for a while where this one goes on."""
        return self._is_slow(tasks.task.type) or (
            tasks.started_at is not None and now - tasks.started_at >= HORIZON_SECONDS
        )


def refill(most: float, claimed_of_type: float) -> float:
    """How much is missing, once half of it is: a claim costs the same for one as for many."""
    return most - claimed_of_type if claimed_of_type <= most / 2 else 0


def _bounded(taken: Counter[TypeName], claimed: Sequence[ClaimedRecord], wanted: ClaimRequest) -> set[TypeName]:
    """The types of which there may be more than was claimed, since a bound was reached."""
    if (
        len(claimed) >= wanted.limit
        or MAX_CHARACTER_BYTES * sum(len(each.args) for each in claimed) >= wanted.max_bytes
    ):
        return {*wanted.most}
    no_more_slow = sum(taken[type] for type in wanted.slow) >= wanted.max_slow
    return {type for type, n in wanted.most.items() if taken[type] >= n or (no_more_slow and type in wanted.slow)}
