"""Limited types: claiming within their limits, and limits that an operator sets in place of the declared ones."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from math import inf
from typing import NamedTuple, Protocol

from application.ports.queue import ClaimedRecord, ClaimRequest, Cursor
from domain.ids import Lane, TaskId, TypeName
from domain.limits import NO_LIMITS, Limits, Override
from domain.waiting import WaitingFor


@dataclass(frozen=True, slots=True)
class TypeLimits:
    """The limits of a type as they stand, and what they leave room for.

    - `limits`: those that hold.
    - `override`: those that an operator has set; None if none are.
    - `running_in_lanes`: the number of its tasks that run, by lane.
    - `next_start`: the next regular start by its rate; None if it has none, or nothing has started under it.
    """

    limits: Limits = NO_LIMITS
    override: Override | None = None
    running_in_lanes: Mapping[Lane | None, int] = field(default_factory=dict)
    next_start: datetime | None = None

    @property
    def running(self) -> int:
        """The number of its tasks that run."""
        return sum(self.running_in_lanes.values())

    def held_back_by(self, now: datetime, lane: Lane | None = None) -> WaitingFor | None:
        """The limit that a due task of this lane waits for; None if none keeps it from starting."""
        if self.limits.is_paused:
            return WaitingFor.PAUSED
        if not self.limits.places(self.running) or not self._places_in(lane):
            return WaitingFor.LIMIT
        rate = self.limits.rate
        if rate and self.next_start and not rate.allowed(rate.within_reach(self.next_start, now), now):
            return WaitingFor.RATE
        return None

    def _places_in(self, lane: Lane | None) -> float:
        return self.limits.places_in_lane(self.running_in_lanes.get(lane, 0)) if self.limits.lane else inf


UNLIMITED = TypeLimits()


@dataclass(frozen=True, slots=True)
class LimitedClaimRequest:
    """The tasks that a handler asks for, each of which it starts at once.

    - `types`: limited types in the order in which they take turns.
    - `limit`: the most tasks of all types.
    - `max_bytes`: the most bytes of all arguments together; the first task may exceed it alone.
    - `cursors`: for pairs of type and priority. Only tasks behind the cursor of their pair are requested.
    """

    types: Sequence[TypeName]
    limit: int
    max_bytes: int
    cursors: Mapping[tuple[TypeName, int], Cursor] = field(default_factory=dict)

    def after(self, claimed: Sequence[ClaimedRecord]) -> "LimitedClaimRequest":
        """What is left of the request once these tasks are claimed."""
        if not claimed:
            return self
        bytes = sum(len(each.args.encode()) for each in claimed)
        return replace(self, limit=self.limit - len(claimed), max_bytes=self.max_bytes - bytes)

    def within(self, most: Mapping[TypeName, int]) -> ClaimRequest:
        """The request with so many tasks of each type, as if it had no limits."""
        return ClaimRequest(most, self.limit, self.max_bytes, starting=self.limit, cursors=self.cursors)


class Bound(Enum):
    """What kept a claim from taking more tasks of a type.

    - REQUEST: the bounds of the request: more may wait.
    - TASKS: no more are due.
    - LANES: no more are due in a lane of which another one may run.
    - PLACES: as many run as may.
    - RATE: as many have started as may for now.
    - PAUSE: it is paused.
    - LOCK: another transaction has locked its limits.
    - FAILURE: the claim has failed.
    - NO_LIMIT: it has no limits any more, so it is claimed as the other types are.
    """

    REQUEST = auto()
    TASKS = auto()
    LANES = auto()
    PLACES = auto()
    RATE = auto()
    PAUSE = auto()
    LOCK = auto()
    FAILURE = auto()
    NO_LIMIT = auto()


class Bounded(NamedTuple):
    """The bound of a type. `seconds`: of RATE, the time until the next start."""

    by: Bound
    seconds: float = 0.0


class LimitedClaim(NamedTuple):
    """The claimed tasks in the order of claiming, and the bound of each requested type.

    - `refused`: the ids of the tasks whose settlement was refused.
    - `parents_ended`: whether other settlements were written of tasks that have dependents.
    """

    claimed: Sequence[ClaimedRecord]
    bounds: Mapping[TypeName, Bounded]
    refused: Sequence[TaskId] = ()
    parents_ended: bool = False

    @property
    def unlimited(self) -> Set[TypeName]:
        """The requested types that have no limits any more."""
        return {type for type, bounded in self.bounds.items() if bounded.by is Bound.NO_LIMIT}


class LimitRepository(Protocol):
    """The limits of types. Those that an operator sets stand, whatever is published, until they are removed."""

    def set(self, type: TypeName, override: Override) -> None:
        """After: the override holds from the next claim on, in place of an earlier one.

        Raises StorageConflict, soon: the limits are locked.
        """
        ...

    def remove(self, type: TypeName) -> None:
        """After: the declared limits hold. Raises StorageConflict, soon: the limits are locked."""
        ...

    def assign_lanes(self, limit: int) -> int:
        """Before: waiting tasks of types with lanes that have none, since they were submitted before there were any.

        After: they are of the lane NO_LANE, and may be claimed. Returns their number, at most `limit`. Locked tasks are
        left as they are.
        """
        ...
