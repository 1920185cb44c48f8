"""API keys: `ft_<id>_<secret>`, of which only the id and a digest of the secret are stored."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from domain.access import Access, Scope
from domain.errors import InvalidOption
from domain.ids import ApiKeyId, Owner, TypeName

ID_CHARACTERS, SECRET_CHARACTERS = 8, 32
MAX_NAME_CHARACTERS, MAX_TYPES = 100, 1_000
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
    - `types`, `own_only`: as in Access.
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
        return Access(owner=Owner(self.id), scopes=self.scopes, types=self.types, own_only=self.own_only)


def check_new(name: str, scopes: frozenset[Scope], types: Collection[TypeName] | None) -> None:
    """Raises InvalidOption: the name, the scopes or the types of a new key are beyond their limits."""
    if not (1 <= len(name) <= MAX_NAME_CHARACTERS and name.isprintable() and name.strip()):
        raise InvalidOption("name", repr(name), f"a text of 1 to {MAX_NAME_CHARACTERS} printable characters")
    if not scopes:
        raise InvalidOption("scopes", "empty", f"one or several of {', '.join(Scope)}")
    if types is not None and not 1 <= len(types) <= MAX_TYPES:
        raise InvalidOption("types", f"a list of {len(types)}", f"absent, or 1 to {MAX_TYPES} names of types")
