"""API keys: `ft_<id>_<secret>`, of which only the id and a digest of the secret are stored."""

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from math import ceil
from typing import NamedTuple

from domain.access import Access, Scope
from domain.errors import InvalidOption
from domain.ids import ApiKeyId, Owner, TypeName
from domain.rate import MAX_BURST, MAX_PER_SECOND, Rate

ID_CHARACTERS, SECRET_CHARACTERS = 8, 32
MAX_NAME_CHARACTERS, MAX_TYPES = 100, 1_000
MIN_REQUESTS_PER_SECOND = 0.01
MAX_WAITING = 1_000_000
_TOKEN = re.compile(f"ft_([0-9a-z]{{{ID_CHARACTERS}}})_([0-9A-Za-z]{{{SECRET_CHARACTERS}}})")


class Token(NamedTuple):
    """The text that a sender shows, in its two parts."""

    id: ApiKeyId
    secret: str

    def __str__(self) -> str:
        return f"ft_{self.id}_{self.secret}"

    @property
    def digest(self) -> str:
        """The SHA-256 of the secret, in hexadecimal digits."""
        return sha256(self.secret.encode()).hexdigest()


def token_of(text: str) -> Token | None:
    """The token of a text; None if it is none."""
    found = _TOKEN.fullmatch(text)
    return Token(ApiKeyId(found[1]), found[2]) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is stored.

    - `name`: a text for people.
    - `types`, `own_only`, `max_waiting`: as in Access.
    - `per_second`, `burst`: its rate; None without a limit. Without a burst that of a second, and at least one.
    - `expires`: the moment from which it is not accepted any more; None if it stays.
    - `last_used`: a moment at which it was used, at most minutes before the last one.
    - `revoked`: the moment from which it is not accepted any more, by the decision of a person.
    """

    id: ApiKeyId
    digest: str
    name: str
    scopes: frozenset[Scope]
    types: frozenset[TypeName] | None = None
    own_only: bool = False
    per_second: float | None = None
    burst: int | None = None
    max_waiting: int | None = None
    created: datetime
    expires: datetime | None = None
    last_used: datetime | None = None
    revoked: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether it is accepted."""
        return self.revoked is None and (self.expires is None or now < self.expires)

    @property
    def access(self) -> Access:
        """The rights of who has it."""
        return Access(
            owner=Owner(self.id),
            scopes=self.scopes,
            types=self.types,
            own_only=self.own_only,
            rate=self.rate,
            max_waiting=self.max_waiting,
        )

    @property
    def rate(self) -> Rate | None:
        """The limit of its requests; None if there is none."""
        if self.per_second is None:
            return None
        return Rate(self.per_second, self.burst or max(1, ceil(self.per_second)))


def check_new(key: ApiKey) -> None:
    """Raises InvalidOption: a member of a new key is beyond its limits, or makes no sense beside another one."""
    if not (1 <= len(key.name) <= MAX_NAME_CHARACTERS and key.name.isprintable() and key.name.strip()):
        raise InvalidOption("name", repr(key.name), f"a text of 1 to {MAX_NAME_CHARACTERS} printable characters")
    if not key.scopes:
        raise InvalidOption("scopes", "empty", f"one or several of {', '.join(Scope)}")
    if key.own_only and Scope.ADMIN in key.scopes:
        raise InvalidOption("own_only", True, "false for a key with the scope admin, which may make others")
    if key.types is not None and not 1 <= len(key.types) <= MAX_TYPES:
        raise InvalidOption("types", f"a list of {len(key.types)}", f"absent, or 1 to {MAX_TYPES} names of types")
    if key.expires is not None and key.expires <= key.created:
        raise InvalidOption("expires", key.expires.isoformat(), "in the future")
    _check_between("per_second", key.per_second, MIN_REQUESTS_PER_SECOND, MAX_PER_SECOND)
    _check_between("burst", key.burst, 1, MAX_BURST)
    _check_between("max_waiting", key.max_waiting, 0, MAX_WAITING)
    if key.burst is not None and key.per_second is None:
        raise InvalidOption("burst", key.burst, "absent where per_second is")


def _check_between(name: str, value: float | None, minimum: float, maximum: float) -> None:
    if value is not None and not minimum <= value <= maximum:
        raise InvalidOption(name, value, f"a number from {minimum:g} to {maximum:g}")
