"""Claiming tasks of limited types: their limits are locked, what runs is counted, then tasks are claimed."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import accumulate
from typing import Any, TypeVar

from sqlalchemy import Connection, TextClause

from adapters.postgres import statements
from adapters.postgres.arrays import array
from adapters.postgres.claim import PostgresClaim, Send
from adapters.postgres.database import Database
from adapters.postgres.driver_errors import is_systemic
from adapters.postgres.limits import last_lanes_of, limits_of
from adapters.postgres.queue import PostgresQueue
from adapters.postgres.savepoint import savepoint
from application.errors import StorageConflict, StorageUnavailable
from application.limited_claims import Room, groups_of, limited_claim, most_of
from application.ports.limits import LimitedClaim, LimitedClaimRequest
from application.ports.queue import ClaimedRecord, ClaimRequest, SettleResult
from domain.ids import Lane, TaskId, TypeName
from domain.lease import Lease
from domain.settlement import Settlement

T = TypeVar("T")


class PostgresLimitedClaim:
    """Carries out AutocommitStore.claim_limited, one transaction each. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._claim = PostgresClaim(statements.CLAIM_LIMITED)

    def __call__(
        self, lease: Lease, now: datetime, request: LimitedClaimRequest, settlements: Sequence[Settlement]
    ) -> LimitedClaim:
        """Settle, and claim all that there is room for.

        Types whose limits are locked for more than a moment are left out.
        """
        if settlements:
            return self._claimed(statements.LOCK_LIMITS, request, settlements, self._at_once(lease, now))
        try:
            return self._at_once_or_isolating(statements.LOCK_LIMITS, lease, now, request)
        except StorageConflict:
            return self._at_once_or_isolating(statements.LOCK_FREE_LIMITS, lease, now, request)

    def _at_once_or_isolating(
        self, lock: TextClause, lease: Lease, now: datetime, request: LimitedClaimRequest
    ) -> LimitedClaim:
        try:
            return self._claimed(lock, request, (), self._at_once(lease, now))
        except StorageUnavailable:
            raise
        except Exception as error:
            if is_systemic(error):
                raise
        return self._claimed(lock, request, (), self._isolating(lease, now))

    def _at_once(self, lease: Lease, now: datetime) -> "_Claim":
        return _Claim(lease, now, _send, self._claim.at_once, self._claim.together, self._claim.left_out())

    def _isolating(self, lease: Lease, now: datetime) -> "_Claim":
        return _Claim(lease, now, _in_savepoint, self._claim.isolating, self._claim.each, self._claim.left_out())

    def _claimed(
        self, lock: TextClause, request: LimitedClaimRequest, settlements: Sequence[Settlement], claim: "_Claim"
    ) -> LimitedClaim:
        with self._database.transaction() as connection:
            limits = _locked(connection, lock, request.types)
            settled = PostgresQueue(connection).settled(settlements) if settlements else SettleResult()
            rooms = _rooms(connection, limits)
            claimed: list[ClaimedRecord] = []
            for group in groups_of(most_of(rooms, request), rooms):
                claimed += claim.of_group(connection, request.after(claimed).within(group), rooms)
            answer = limited_claim(claimed, rooms, request, settled, lock is statements.LOCK_FREE_LIMITS)
            _move_starts(connection, rooms, claimed)
            connection.commit()
        return answer


@dataclass(frozen=True, slots=True)
class _Claim:
    """One of the two ways of claiming: `send` executes statements, `some` claims of any types, `chosen` given tasks."""

    lease: Lease
    now: datetime
    send: Callable[..., Any]
    some: Callable[[Send, Lease, datetime, ClaimRequest], Sequence[ClaimedRecord]]
    chosen: Callable[[Send, Lease, datetime, ClaimRequest, Sequence[TaskId]], Sequence[ClaimedRecord]]
    left_out: Sequence[TaskId]

    def of_group(
        self, connection: Connection, request: ClaimRequest, rooms: Mapping[TypeName, Room]
    ) -> Sequence[ClaimedRecord]:
        """Claim tasks of one type with lanes, or of several types without."""
        if request.limit <= 0 or request.max_bytes <= 0:
            return []
        send, [type, *_] = partial(self.send, connection), [*request.most]
        if not rooms[type].limits.lane:
            return self.some(send, self.lease, self.now, request)
        ids = self._in_lanes(connection, type, request, rooms[type])
        claimed = self.chosen(send, self.lease, self.now, request, ids) if ids else []
        _move_lanes(connection, type, rooms[type], claimed)
        return claimed

    def _in_lanes(self, connection: Connection, type: TypeName, request: ClaimRequest, room: Room) -> Sequence[TaskId]:
        """Choose tasks of a type with lanes, in the order of claiming."""
        most = min(request.most[type], request.limit)
        places = {lane: min(number, most) for lane, number in room.places_in_lanes().items()}
        found: list[Any] = []
        for (priority,) in connection.execute(statements.LANE_PRIORITIES, {"type": type}):
            parameters = {
                "type": type,
                "priority": priority,
                "lanes": array(places),
                "places": array(int(number) for number in places.values()),
                "places_in_others": int(min(room.limits.places_in_lane(0), most)),
                "last": room.last_lanes.get(priority),
                "most": most - len(found),
                "now": self.now,
                "left_out": list(self.left_out),
            }
            chosen = _chosen_in_lanes(connection, parameters)
            for row in chosen:
                places[row.lane] = places.get(row.lane, parameters["places_in_others"]) - 1
            found += chosen
            if len(found) >= most:
                break
        return _within_bytes(found, request.max_bytes)


def _chosen_in_lanes(connection: Connection, parameters: Mapping[str, Any]) -> Sequence[Any]:
    """Choose tasks of one priority. Lanes whose due tasks are all locked or left out give their turns to others."""
    max_lanes = parameters["most"]
    while True:
        found = connection.execute(statements.CHOOSE_IN_LANES, {**parameters, "max_lanes": max_lanes}).all()
        chosen = [row for row in found if row.id is not None]
        if len(chosen) == len(found) or found[0].lanes < max_lanes:
            return chosen
        max_lanes *= 10


def _within_bytes(chosen: Sequence[Any], max_bytes: int) -> Sequence[TaskId]:
    """Return the ids of the first rows whose arguments have at most that many bytes; of the very first in any case."""
    totals = accumulate(row.args_bytes for row in chosen)
    return [row.id for row, total in zip(chosen, totals, strict=True) if row is chosen[0] or total <= max_bytes]


def _locked(connection: Connection, lock: TextClause, types: Sequence[TypeName]) -> Sequence[Any]:
    """Lock the limits of the types, and return their rows."""
    return connection.execute(lock, {"types": array(types)}).all() if types else []


def _rooms(connection: Connection, limits: Sequence[Any]) -> Mapping[TypeName, Room]:
    """Return the room of each type whose limits are locked. What runs is counted behind the lock."""
    names = {"types": array(row.type for row in limits)}
    counted = connection.execute(statements.COUNT_RUNNING, names).all() if limits else []
    running: dict[str, dict[Lane | None, int]] = {row.type: {} for row in limits}
    for row in counted:
        running[row.type][row.lane] = row.number
    return {
        TypeName(row.type): Room(limits_of(row), running[row.type], row.next_start, row.now, last_lanes_of(row))
        for row in limits
    }


def _send(
    connection: Connection, statement: TextClause, parameters: Mapping[str, Any], read: Callable[[Sequence[Any]], T]
) -> T:
    return read(connection.execute(statement, parameters).all())


def _in_savepoint(
    connection: Connection, statement: TextClause, parameters: Mapping[str, Any], read: Callable[[Sequence[Any]], T]
) -> T:
    with savepoint(connection):
        return _send(connection, statement, parameters, read)


def _move_starts(connection: Connection, rooms: Mapping[TypeName, Room], claimed: Sequence[ClaimedRecord]) -> None:
    """Store the next regular start of each type of which tasks have started, or whose start is out of reach."""
    taken = Counter(each.task.type for each in claimed)
    moved = {type: room for type, room in rooms.items() if room.moved_start(taken[type])}
    if moved:
        parameters = {
            "types": array(moved),
            "next_starts": array(room.reachable_start for room in moved.values()),
            "seconds": array(room.seconds_of(taken[type]) for type, room in moved.items()),
        }
        connection.execute(statements.MOVE_STARTS, parameters)


def _move_lanes(connection: Connection, type: TypeName, room: Room, claimed: Sequence[ClaimedRecord]) -> None:
    """Store the lane whose turn it was last of each priority."""
    last = {each.task.priority: each.task.lane for each in claimed}
    if last:
        last_lanes = json.dumps({**room.last_lanes, **last})
        connection.execute(statements.MOVE_LANES, {"type": type, "last_lanes": last_lanes})
