"""The API keys: who may use the API, and for what."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.api_key import ApiKey
from domain.ids import ApiKeyId, Owner
from domain.rate import Rate


class Taken(NamedTuple):
    """The number of requests that were taken, and the seconds until there is another one."""

    number: int
    seconds_until_next: float


def taken_by(rate: Rate, before: datetime, wanted: int, now: datetime) -> tuple[Taken, datetime]:
    """What is taken of a rate, and the next regular request after it. `before`: that request before."""
    next = rate.within_reach(before, now)
    number = min(wanted, rate.allowed(next, now))
    after = rate.after(next, now, number) if number else next
    return Taken(number, rate.seconds_until_next(after, now)), after


class ApiKeyRepository(Protocol):
    """Every key by its id. Revoked and expired ones stay."""

    def add(self, key: ApiKey) -> bool:
        """Add a key. False, and no key, if another one has its id."""
        ...

    def get(self, id: ApiKeyId) -> ApiKey | None:
        """Return a key; None if there is no such key."""
        ...

    def all(self) -> Sequence[ApiKey]:
        """Return all keys, the oldest first."""
        ...

    def has_any(self) -> bool:
        """Whether there is any key, revoked and expired ones included."""
        ...

    def revoke(self, id: ApiKeyId, now: datetime) -> ApiKey | None:
        """Revoke a key, unless it is revoked already, and return it; None if there is no such key."""
        ...

    def take(self, owner: Owner, rate: Rate, wanted: int, now: datetime) -> Taken:
        """Take so many of the requests that the rate of an owner allows now, or as many as there are.

        Other units of work that take for the same owner wait until this one has ended.
        """
        ...

    def note_use(self, id: ApiKeyId, now: datetime) -> None:
        """Note that a key is used now. Does nothing if there is no such key, or another transaction has locked it."""
        ...
