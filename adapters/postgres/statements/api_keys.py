"""Statements of application.ports.api_keys."""

from sqlalchemy import text

from adapters.postgres.statements.columns import listed

_COLUMNS = (
    *("id", "digest", "name", "scopes", "types", "own_only", "per_second", "burst", "max_waiting"),
    *("created", "expires", "last_used", "revoked"),
)
_ALL = listed(_COLUMNS)

ADD_API_KEY = text(f"""
    INSERT INTO api_keys ({_ALL}) VALUES ({", ".join(f":{column}" for column in _COLUMNS)})
    ON CONFLICT (id) DO NOTHING
    RETURNING id
""")

API_KEY = text(f"SELECT {_ALL} FROM api_keys WHERE id = :id")

API_KEYS = text(f"SELECT {_ALL} FROM api_keys ORDER BY created, id")

HAS_API_KEYS = text("SELECT EXISTS (SELECT FROM api_keys)")

REVOKE_API_KEY = text(f"""
    UPDATE api_keys SET revoked = coalesce(revoked, :now) WHERE id = :id RETURNING {_ALL}
""")

NOTE_USE_OF_API_KEY = text("""
    UPDATE api_keys SET last_used = :now
    WHERE id = (SELECT id FROM api_keys WHERE id = :id FOR NO KEY UPDATE SKIP LOCKED)
""")

# Locks the row, new or not.
LOCK_REQUEST_RATE = text("""
    INSERT INTO request_rates (owner, next) VALUES (:owner, :now)
    ON CONFLICT (owner) DO UPDATE SET next = request_rates.next
    RETURNING next
""")

SET_REQUEST_RATE = text("UPDATE request_rates SET next = :next WHERE owner = :owner")
