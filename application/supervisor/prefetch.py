"""How many tasks are claimed ahead: 0.1 s of work (PREFETCH_SECONDS) for each slot that is free or soon will be.

Tasks of quick types are claimed in large batches and those of slow types one for each slot, so that no task waits
behind a slow one while another handler idles. While quick tasks wait, here or in the storage, one slot of several is
reserved for them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from application.ports.queue import ClaimedRecord, ClaimRequest, fills
from application.supervisor.claimed_tasks import ClaimedTask, ClaimedTasks
from domain.ids import Hold, TypeName
from domain.task import Task

PREFETCH_SECONDS = 0.1
"""Seconds of work that are claimed ahead for each free slot. A type whose runs take that long or longer is slow."""
MAX_PREFETCHED_TASKS = 1000
"""Tasks that are claimed and not started, and tasks of one claim."""
MAX_CLAIM_BYTES = 16 * 1024 * 1024
"""Bytes of the arguments of one claim."""
LATEST_RUN_WEIGHT = 0.2
"""Weight of the latest run in the moving mean of its type's durations."""
MIN_RUN_SECONDS = 1e-5
"""Mean duration of a type in seconds, at the least: shares are divided by it."""


@dataclass(slots=True)
class Prefetch:
    """Knowledge of each type's durations, and of the tasks that wait in the storage.

    - `mean_seconds`: moving mean of the durations of each type's runs.
    - `turns`: types in the order in which they take turns.
    - `empty_types`: types whose last claim returned nothing. A type that returned less than was wanted is none of them:
      more of its tasks may wait behind a locked row.
    - `backlogged_types`: types of which more tasks may wait than were claimed, or which were given back.
    - `pending_releases`: tasks given back here, with their types; they wait in the storage once that is written.
    - `possibly_missed_types`: types of which the claim under way may miss tasks that are given back: it may read the
      storage before they are written.
    """

    mean_seconds: dict[TypeName, float] = field(default_factory=dict)
    turns: list[TypeName] = field(default_factory=list)
    empty_types: set[TypeName] = field(default_factory=set)
    backlogged_types: set[TypeName] = field(default_factory=set)
    pending_releases: dict[Hold, TypeName] = field(default_factory=dict)
    possibly_missed_types: set[TypeName] = field(default_factory=set)

    def record_duration(self, type: TypeName, seconds: float) -> None:
        """Let a run's duration count in the mean of its type."""
        mean = self.mean_seconds.get(type, seconds)
        self.mean_seconds[type] = max(mean + LATEST_RUN_WEIGHT * (seconds - mean), MIN_RUN_SECONDS)

    def set_types(self, types: Iterable[TypeName]) -> None:
        """Replace the types that can be run. Those that were known keep their turn."""
        offered = list(types)
        self.turns = [type for type in self.turns if type in offered]
        self.turns += [type for type in offered if type not in self.turns]
        self.backlogged_types &= {*offered}
        self.empty_types &= {*offered}

    def record_claim_sent(self) -> None:
        """Note that a claim is under way."""
        self.possibly_missed_types = {*self.pending_releases.values()}

    def record_claim_answer(self, claimed: Sequence[ClaimedRecord], request: ClaimRequest) -> None:
        """Learn from a claim which types have tasks, and move the types that it returned to the end of the turns.

        A claim with cursors says nothing about the tasks that wait before them.
        """
        taken = Counter(each.task.type for each in claimed)
        requested, limited = request.most.keys(), _limited_types(taken, claimed, request)
        if not request.cursors:
            self.backlogged_types = self.backlogged_types - requested | self.possibly_missed_types
        self.backlogged_types |= limited & taken.keys()
        self.empty_types = self.empty_types - taken.keys() | (requested - taken.keys() - limited)
        for type in taken:
            if type in self.turns:
                self.turns.remove(type)
                self.turns.append(type)

    def record_releases(self, tasks: Iterable[Task]) -> None:
        """Note that tasks are being given back unstarted."""
        released = {task.hold: task.type for task in tasks}
        types = {*released.values()}
        self.pending_releases |= released
        self.possibly_missed_types |= types
        self.backlogged_types |= types
        self.empty_types -= types

    def record_settled(self, holds: Iterable[Hold]) -> None:
        """Note that the settlements of these tasks, releases among them, are written."""
        for hold in holds if self.pending_releases else ():
            self.pending_releases.pop(hold, None)

    def claim_request(self, free: int, slots: int, tasks: ClaimedTasks, now: float) -> ClaimRequest:
        """How many tasks of each type to claim, in the order of turns; types of which none is wanted are omitted.

        - `free`: runs that the executor can start now; more than slots if quick runs are dispatched behind others.
        - `slots`: runs that go on at the same time.
        - `now`: monotonic time in seconds.
        """
        free_slots = self._free_slots(free, slots, tasks, now)
        claimed_by_type = tasks.queued_by_type + tasks.pending_by_type
        startable = max(min(free, slots) - tasks.undispatched, 0)
        slots_for_slow = free_slots - self._reserved_slots(slots, claimed_by_type)
        max_slow = max(slots_for_slow - self._number_of_slow(tasks.queued_by_type), 0)
        quick = self._max_quick(free_slots, claimed_by_type, startable)
        slow = frozenset(self.turns) - quick.keys()
        most = {type: quick.get(type, max_slow) for type in self.turns}
        wanted = {type: number for type, number in most.items() if number > 0}
        return ClaimRequest(wanted, MAX_PREFETCHED_TASKS, MAX_CLAIM_BYTES, startable, slow, max_slow)

    def excess_slow_tasks(self, free: int, slots: int, tasks: ClaimedTasks, now: float) -> Sequence[ClaimedTask]:
        """Queued slow tasks for which there is no slot, or only the reserved one. Parameters as of `claim_request`."""
        claimed_by_type = tasks.queued_by_type + tasks.pending_by_type
        slots_for_slow = self._free_slots(free, slots, tasks, now) - self._reserved_slots(slots, claimed_by_type)
        return [each for each in tasks.queued if self._is_slow(each.task.type)][max(slots_for_slow, 0) :]

    def _free_slots(self, free: int, slots: int, tasks: ClaimedTasks, now: float) -> int:
        """Slots that are free for queued tasks, or will be within PREFETCH_SECONDS."""
        occupied = sum(self._occupies_slot(each, now) for each in tasks.started.values())
        occupied += self._number_of_slow(tasks.pending_by_type)
        return min(free + len(tasks.dispatched) - occupied, slots - occupied)

    def _reserved_slots(self, slots: int, claimed_by_type: Counter[TypeName]) -> int:
        """Slots reserved for quick tasks: one, if it is not the only one, while any of them wait."""
        return 1 if slots > 1 and not all(map(self._is_slow, self.backlogged_types | claimed_by_type.keys())) else 0

    def _number_of_slow(self, number_by_type: Counter[TypeName]) -> int:
        return sum(number for type, number in number_by_type.items() if self._is_slow(type))

    def _max_quick(self, free_slots: int, claimed_by_type: Counter[TypeName], startable: int) -> Mapping[TypeName, int]:
        """How many tasks of each quick type to claim: at least as many as can start now.

        The time of the free slots is shared equally between the types that may have tasks. A type whose runs are longer
        than its share gets one task while time is left, in the order of turns, so that it is not passed over for ever.
        """
        claimed_seconds = sum(self._expected_seconds(type) * number for type, number in claimed_by_type.items())
        seconds = refill(PREFETCH_SECONDS * free_slots, claimed_seconds)
        max_tasks = int(refill(MAX_PREFETCHED_TASKS, claimed_by_type.total()))
        quick = [type for type in self.turns if not self._is_slow(type)]
        sharing = [type for type in quick if type not in self.empty_types] or quick
        share = seconds / max(len(sharing), 1)
        most = {type: max(startable, min(int(share / self.mean_seconds[type]), max_tasks)) for type in quick}
        for type in sharing:
            if seconds > 0 and not most[type]:
                most[type] = min(max_tasks, 1)
                seconds -= self.mean_seconds[type]
        return most

    def _is_slow(self, type: TypeName) -> bool:
        """Whether each run of it is expected to take a slot for itself. A type that never ran counts as slow."""
        return self._expected_seconds(type) >= PREFETCH_SECONDS

    def _expected_seconds(self, type: TypeName) -> float:
        return self.mean_seconds.get(type, PREFETCH_SECONDS)

    def _occupies_slot(self, started: ClaimedTask, now: float) -> bool:
        """Whether no other task is expected to start in its slot within PREFETCH_SECONDS."""
        return self._is_slow(started.task.type) or (
            started.started_at is not None and now - started.started_at >= PREFETCH_SECONDS
        )


def refill(most: float, claimed: float) -> float:
    """How much to claim up to `most`; 0 until half is missing, as a claim of one task costs as much as one of many."""
    return most - claimed if claimed <= most / 2 else 0


def _limited_types(taken: Counter[TypeName], claimed: Sequence[ClaimedRecord], request: ClaimRequest) -> set[TypeName]:
    """The requested types of which more tasks may wait than were claimed, since a limit of the request was reached."""
    if fills(claimed, request.limit, request.max_bytes):
        return {*request.most}
    no_more_slow = sum(taken[type] for type in request.slow) >= request.max_slow
    return {
        type
        for type, number in request.most.items()
        if taken[type] >= number or (no_more_slow and type in request.slow)
    }
