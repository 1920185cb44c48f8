"""The API keys in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from adapters.postgres import statements
from application.ports.api_keys import Taken, taken_by
from domain.access import Scope
from domain.api_key import ApiKey
from domain.ids import ApiKeyId, Owner, TypeName
from domain.rate import Rate

KNOWN_SCOPES = frozenset(Scope)


class PostgresApiKeyRepository:
    """Implements application.ports.api_keys.ApiKeyRepository."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, key: ApiKey) -> bool:
        columns = {
            "id": key.id,
            "digest": key.digest,
            "name": key.name,
            "scopes": sorted(key.scopes),
            "types": None if key.types is None else sorted(key.types),
            "own_only": key.own_only,
            "per_second": key.per_second,
            "burst": key.burst,
            "max_waiting": key.max_waiting,
            "created": key.created,
            "expires": key.expires,
            "last_used": key.last_used,
            "revoked": key.revoked,
        }
        return self._connection.execute(statements.ADD_API_KEY, columns).first() is not None

    def get(self, id: ApiKeyId) -> ApiKey | None:
        row = self._connection.execute(statements.API_KEY, {"id": id}).first()
        return _api_key(row) if row else None

    def all(self) -> Sequence[ApiKey]:
        return [_api_key(row) for row in self._connection.execute(statements.API_KEYS)]

    def has_any(self) -> bool:
        return bool(self._connection.execute(statements.HAS_API_KEYS).scalar_one())

    def revoke(self, id: ApiKeyId, now: datetime) -> ApiKey | None:
        row = self._connection.execute(statements.REVOKE_API_KEY, {"id": id, "now": now}).first()
        return _api_key(row) if row else None

    def take(self, owner: Owner, rate: Rate, wanted: int, now: datetime) -> Taken:
        before = self._connection.execute(statements.LOCK_REQUEST_RATE, {"owner": owner, "now": now}).scalar_one()
        taken, after = taken_by(rate, before, wanted, now)
        self._connection.execute(statements.SET_REQUEST_RATE, {"owner": owner, "next": after})
        return taken

    def note_use(self, id: ApiKeyId, now: datetime) -> None:
        self._connection.execute(statements.NOTE_USE_OF_API_KEY, {"id": id, "now": now})


def _api_key(row: Any) -> ApiKey:
    """The key of a row. A scope that a newer version has written allows nothing here."""
    return ApiKey(
        id=ApiKeyId(row.id),
        digest=row.digest,
        name=row.name,
        scopes=frozenset(map(Scope, KNOWN_SCOPES.intersection(row.scopes))),
        types=None if row.types is None else frozenset(map(TypeName, row.types)),
        own_only=row.own_only,
        per_second=row.per_second,
        burst=row.burst,
        max_waiting=row.max_waiting,
        created=row.created,
        expires=row.expires,
        last_used=row.last_used,
        revoked=row.revoked,
    )
