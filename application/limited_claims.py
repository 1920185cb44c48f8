"""How many tasks of a limited type a claim may take, and what it says of those that it leaves."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf

from application.ports.limits import Bound, Bounded, LimitedClaim, LimitedClaimRequest
from application.ports.queue import ClaimedRecord, SettleResult, fills
from domain.ids import Lane, TypeName
from domain.limits import Limits

NOTHING_SETTLED = SettleResult()


@dataclass(frozen=True, slots=True)
class Room:
    """The room that a type has for starts at one moment, while its limits are locked.

    - `running`: the number of its tasks that run, by lane.
    - `next_start`: the next regular start by its rate; None if nothing has started under it.
    - `now`: the time of the storage's own clock.
    - `last_lanes`: for each priority, the lane whose turn it was last.
    """

    limits: Limits
    running: Mapping[Lane | None, int]
    next_start: datetime | None
    now: datetime
    last_lanes: Mapping[int, Lane] = field(default_factory=dict)

    @property
    def most(self) -> float:
        """How many tasks may start now; inf without a limit."""
        return min(self._places, self._starts)

    def bound(self, taken: int, is_request_full: bool) -> Bounded:
        """The bound of a claim that has taken so many tasks of the type."""
        if self.limits.is_paused:
            return Bounded(Bound.PAUSE)
        if taken >= self._places:
            return Bounded(Bound.PLACES)
        if self.limits.rate and taken >= self._starts:
            next_start = self.limits.rate.after(self.reachable_start, self.now, taken)
            return Bounded(Bound.RATE, self.limits.rate.seconds_until_next(next_start, self.now))
        if is_request_full:
            return Bounded(Bound.REQUEST)
        return Bounded(Bound.TASKS if self.limits.at_once_per_lane is None else Bound.LANES)

    def moved_start(self, taken: int) -> datetime | None:
        """The next regular start to be stored once so many have started; None where it stays as it is.

        One that starts cannot have moved it to is stored too, since a clock that was set back does not come near it.
        """
        is_out_of_reach = self.next_start is not None and self.next_start > self.reachable_start
        if self.limits.rate is None or not (taken or is_out_of_reach):
            return None
        return self.limits.rate.after(self.reachable_start, self.now, taken)

    def seconds_of(self, taken: int) -> float:
        """The seconds that so many starts take at the rate; 0 without one."""
        return taken / self.limits.rate.per_second if self.limits.rate else 0.0

    @property
    def reachable_start(self) -> datetime:
        """The next regular start, but no later than starts could have moved it."""
        if not self.next_start or not self.limits.rate:
            return self.now
        return self.limits.rate.within_reach(self.next_start, self.now)

    def places_in_lanes(self) -> Mapping[Lane, float]:
        """How many more tasks may run of each lane of which some run; of the others `at_once_per_lane`."""
        return {lane: self.limits.places_in_lane(number) for lane, number in self.running.items() if lane is not None}

    @property
    def _places(self) -> float:
        return self.limits.places(sum(self.running.values()))

    @property
    def _starts(self) -> float:
        return self.limits.rate.allowed(self.reachable_start, self.now) if self.limits.rate else inf


def most_of(rooms: Mapping[TypeName, Room], request: LimitedClaimRequest) -> Mapping[TypeName, int]:
    """How many tasks of each type to claim, without the types that have no room, in the order of turns."""
    most = {type: int(min(rooms[type].most, request.limit)) for type in request.types if type in rooms}
    return {type: number for type, number in most.items() if number}


def groups_of(most: Mapping[TypeName, int], rooms: Mapping[TypeName, Room]) -> Sequence[Mapping[TypeName, int]]:
    """The parts of a claim, one after the other: each type with lanes alone, and the other types together.

    They are in the order of turns.
    """
    together = {type: number for type, number in most.items() if not rooms[type].limits.lane}
    groups: list[Mapping[TypeName, int]] = []
    for type, number in most.items():
        if rooms[type].limits.lane:
            groups.append({type: number})
        elif together not in groups:
            groups.append(together)
    return groups


def limited_claim(
    claimed: Sequence[ClaimedRecord],
    rooms: Mapping[TypeName, Room],
    request: LimitedClaimRequest,
    settled: SettleResult = NOTHING_SETTLED,
    may_be_locked: bool = False,
) -> LimitedClaim:
    """The answer to a claim that has taken these tasks. `may_be_locked`: whether one without a room may be."""
    taken = Counter(each.task.type for each in claimed)
    is_full = fills(claimed, request.limit, request.max_bytes)
    absent = Bounded(Bound.LOCK if may_be_locked else Bound.NO_LIMIT)
    bounds = {type: rooms[type].bound(taken[type], is_full) if type in rooms else absent for type in request.types}
    return LimitedClaim(claimed, bounds, settled.refused, settled.parents_ended)
