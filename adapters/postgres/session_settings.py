"""Settings of each connection: those that libpq gets as defaults, and those that the server's session gets."""

from collections.abc import Mapping
from typing import Any

CONNECTION_DEFAULTS = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""Limits for a silent network, in the units of libpq. Parameters of the address replace them."""

CONNECTION_REQUIREMENTS: Mapping[str, Any] = {"client_encoding": "UTF8"}
"""Parameters that replace those of the address, of PGCLIENTENCODING and of the role. Poolers take them too.

The encoding is asked for with the connection, since the driver looks at it only then.
"""

MAX_IDLE_SECONDS = 10
"""Seconds that a transaction may be idle. For the server it is idle while a statement arrives."""

SESSION_SETTINGS = {
    # Timestamps are read by `timestamps.py`, and those beyond the years that Python has are told by their text.
    "DateStyle": "ISO",
    "TimeZone": "UTC",
    # Numbers come back to the last bit.
    "extra_float_digits": "3",
    # Arrays are sent as texts, in which NULL stands for a missing element.
    "array_nulls": "on",
    # Each statement sees what was committed before it, and waits for a row rather than fails.
    "default_transaction_isolation": "read committed",
    # The watchdog ends what stands still. These count a slow line too, and a migration of large tables.
    "statement_timeout": "0",
    "transaction_timeout": "0",
    # An answer must not come before its commit has reached the disk. A choice between standbys stays.
    "synchronous_commit": "on",
    # Compiling a plan takes up to a second and pays only for statements that read much. Ours read little, but the
    # planner may overrate them.
    "jit": "off",
    # None of our transactions holds a lock for longer. A transaction that waits for such a lock is repeated.
    "lock_timeout": "1s",
    # A prepared statement is planned once, not five times and then perhaps again at each execution.
    "plan_cache_mode": "force_generic_plan",
    # A host that vanishes in the middle of a transaction must not keep its rows locked.
    "idle_in_transaction_session_timeout": f"{MAX_IDLE_SECONDS}s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "20s",
}
"""Settings that the server applies to each session, whatever its role or its database say.

Poolers refuse them as options of the connection. Not among them are `standard_conforming_strings`, which the driver
looks at only when it connects, and `default_transaction_read_only`, since a read-only database has to be noticed.
"""

APPLY_SETTINGS = """
    SELECT current_setting('transaction_read_only') = 'off', set_config(name, value, false)
    FROM unnest(%s, %s) AS wanted (name, value) JOIN pg_settings USING (name)
    WHERE name <> 'synchronous_commit' OR setting = 'off'
"""
"""Applies the settings that the server knows; others are left out. Each row tells whether the session can write."""


def apply_session_settings(connection: Any) -> bool:
    """Apply SESSION_SETTINGS to the session of this psycopg2 connection, and tell whether it can write.

    The connection is in autocommit mode.
    """
    with connection.cursor() as cursor:
        cursor.execute(APPLY_SETTINGS, (list(SESSION_SETTINGS.keys()), list(SESSION_SETTINGS.values())))
        return bool(cursor.fetchone()[0])
