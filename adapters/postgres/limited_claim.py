"""Claiming tasks of limited types: their limits are locked, what runs is counted, then tasks are claimed."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, TextClause

from adapters.postgres import statements
from adapters.postgres.arrays import array
from adapters.postgres.claim import PostgresClaim
from adapters.postgres.database import Database
from adapters.postgres.driver_errors import is_systemic
from adapters.postgres.limits import limits_of
from adapters.postgres.queue import PostgresQueue
from adapters.postgres.savepoint import savepoint
from application.errors import StorageConflict, StorageUnavailable
from application.limited_claims import Room, limited_claim, most_of
from application.ports.limits import LimitedClaim, LimitedClaimRequest
from application.ports.queue import ClaimedRecord, ClaimRequest
from domain.ids import TypeName
from domain.lease import Lease
from domain.settlement import Settlement

T = TypeVar("T")
Claim = Callable[[Connection, ClaimRequest], Sequence[ClaimedRecord]]


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
            return self._by_one_statement_or_isolating(statements.LOCK_LIMITS, lease, now, request)
        except StorageConflict:
            return self._by_one_statement_or_isolating(statements.LOCK_FREE_LIMITS, lease, now, request)

    def _by_one_statement_or_isolating(
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

    def _at_once(self, lease: Lease, now: datetime) -> Claim:
        return lambda connection, wanted: self._claim.at_once(partial(_send, connection), lease, now, wanted)

    def _isolating(self, lease: Lease, now: datetime) -> Claim:
        return lambda connection, wanted: self._claim.isolating(partial(_in_savepoint, connection), lease, now, wanted)

    def _claimed(
        self, lock: TextClause, request: LimitedClaimRequest, settlements: Sequence[Settlement], claim: Claim
    ) -> LimitedClaim:
        with self._database.transaction() as connection:
            limits = _locked(connection, lock, request.types)
            refused = PostgresQueue(connection).settle(settlements) if settlements else ()
            rooms = _rooms(connection, limits)
            most = most_of(rooms, request)
            claimed = claim(connection, request.within(most)) if most else []
            answer = limited_claim(claimed, rooms, request, refused, lock is statements.LOCK_FREE_LIMITS)
            _move_starts(connection, rooms, claimed)
            connection.commit()
        return answer


def _locked(connection: Connection, lock: TextClause, types: Sequence[TypeName]) -> Sequence[Any]:
    """Lock the limits of the types, and return their rows."""
    return connection.execute(lock, {"types": array(types)}).all() if types else []


def _rooms(connection: Connection, limits: Sequence[Any]) -> Mapping[TypeName, Room]:
    """Return the room of each type whose limits are locked. What runs is counted behind the lock."""
    names = {"types": array(row.type for row in limits)}
    counted = connection.execute(statements.COUNT_RUNNING, names).all() if limits else []
    running = {row.type: row.number for row in counted}
    return {
        TypeName(row.type): Room(limits_of(row), running.get(row.type, 0), row.next_start, row.now) for row in limits
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
    """Store the next regular start of each type that has a rate and that a task was claimed of."""
    taken = Counter(each.task.type for each in claimed)
    rates = {type: rate for type in taken if (rate := rooms[type].limits.rate)}
    if rates:
        moved = {
            "types": array(rates),
            "next_starts": array(rooms[type].reachable_start for type in rates),
            "seconds": array(taken[type] / rate.per_second for type, rate in rates.items()),
        }
        connection.execute(statements.MOVE_STARTS, moved)
