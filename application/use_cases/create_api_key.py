"""Create an API key. Its secret is told once, and stored nowhere."""

import secrets
import string
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from application.conflict_retry import retry_on_conflict
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin
from domain.access import Scope
from domain.api_key import ID_CHARACTERS, SECRET_CHARACTERS, ApiKey, Token, check_new
from domain.ids import ApiKeyId, TypeName

ID_ALPHABET = string.digits + string.ascii_lowercase
SECRET_ALPHABET = string.digits + string.ascii_letters


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRequest:
    """A request for a key, with the fields of ApiKey."""

    name: str
    scopes: frozenset[Scope]
    types: Collection[TypeName] | None = None
    own_only: bool = False
    per_second: float | None = None
    burst: int | None = None
    max_waiting: int | None = None
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class CreatedApiKey:
    """The key, and the token that its senders show."""

    key: ApiKey
    token: Token


class CreateApiKey:
    """Creates a key. Raises InvalidOption: a field is beyond its limits."""

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    def __call__(self, request: ApiKeyRequest) -> CreatedApiKey:
        """The new key."""
        now = self._clock.now()
        while True:
            token = _random_token()
            key = ApiKey(
                id=token.id,
                digest=token.digest,
                name=request.name,
                scopes=request.scopes,
                types=None if request.types is None else frozenset(request.types),
                own_only=request.own_only,
                per_second=request.per_second,
                burst=request.burst,
                max_waiting=request.max_waiting,
                created=now,
                expires=request.expires,
            )
            check_new(key)
            if self._add(key):
                return CreatedApiKey(key, token)

    @retry_on_conflict
    def _add(self, key: ApiKey) -> bool:
        with self._begin() as work:
            is_new = work.api_keys.add(key)
            work.commit()
        return is_new


def _random_token() -> Token:
    return Token(ApiKeyId(_random(ID_ALPHABET, ID_CHARACTERS)), _random(SECRET_ALPHABET, SECRET_CHARACTERS))


def _random(alphabet: str, characters: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(characters))
