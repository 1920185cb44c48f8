"""A session with the server: a psycopg2 connection that knows whether it may go on serving."""

import select
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import psycopg2
from psycopg2.extensions import connection, parse_dsn

from adapters.postgres.session_settings import CONNECTION_REQUIREMENTS, apply_session_settings
from adapters.postgres.timestamps import register_timestamps
from adapters.postgres.watchdog import Watchdog

CHECK_SECONDS = 5.0
"""Seconds after which a session is asked whether it can still write, before it is used again."""
READ_ONLY_SECONDS = 1.0
"""The same for a session that could not write when it was opened: another one may be able to."""
MAX_CHECK_SECONDS = 5.0
"""Seconds that the server may take to answer that."""
READ_WRITE, PRIMARY = "read-write", "primary"
SHOW_READ_ONLY = "SHOW transaction_read_only"

END_READ_ONLY = """
    SELECT pg_terminate_backend(pg_backend_pid())
    WHERE current_setting('transaction_read_only') = 'on' AND NOT pg_is_in_recovery()
"""
"""Ends a session of the server that refuses to write. A pooler would lend it on after this client has left."""


class Session(connection):
    """A psycopg2 connection.

    - `check_at`: the monotonic time from which it has to be asked whether it can write.
    - `watchdog`: watches that question.
    """

    check_at: float
    watchdog: Watchdog

    def prepare(self, watchdog: Watchdog) -> None:
        """Apply the settings of our sessions, and find out whether this one can write."""
        self.watchdog = watchdog
        register_timestamps(self)
        with watchdog.watch(self):
            self.autocommit = True
            can_write = apply_session_settings(self)
            self.autocommit = False
        self.check_at = time.monotonic() + (CHECK_SECONDS if can_write else READ_ONLY_SECONDS)

    @property
    def is_usable(self) -> bool:
        """Whether the idle session can be used: it can write or is new, and the server has not ended it meanwhile."""
        # An idle server says nothing but its farewell, or a notice: one that is only a notice costs a new connection.
        return not self.closed and not _is_readable(self.fileno()) and self.can_serve()

    def can_serve(self) -> bool:
        """Tell whether the session can write or is new. The server is asked once `check_at` has come.

        So a server that was demoted is left, and a connection that died while it was idle is noticed before it is used.
        """
        return time.monotonic() < self.check_at or self._can_write()

    def _can_write(self) -> bool:
        with suppress(psycopg2.Error), self.watchdog.watch(self, MAX_CHECK_SECONDS):
            before, self.autocommit = self.autocommit, True
            with self.cursor() as cursor:
                cursor.execute(SHOW_READ_ONLY)
                can_write = bool(cursor.fetchone() == ("off",))
            self.autocommit = before
            self.check_at = time.monotonic() + CHECK_SECONDS
            return can_write
        return False

    def end(self) -> None:
        """Close the session after it has failed, and behind a pooler that of the server as well."""
        with suppress(psycopg2.Error):
            self.rollback()
            self.cursor().execute(END_READ_ONLY)
        self.close()


def open_session(url: str, defaults: Mapping[str, Any]) -> Session:
    """Open a session on a host that can write, or else on a primary that serves reads. Never on a standby.

    A standby lacks the last tasks, and would answer that they do not exist. An address with a `target_session_attrs` of
    its own decides for itself.
    """
    given = parse_dsn(url)
    for attributes in _wanted_attributes(given):
        with suppress(psycopg2.OperationalError):
            return _open(url, given, {**defaults, "target_session_attrs": attributes})
    return _open(url, given, {**defaults, "target_session_attrs": PRIMARY})


def _wanted_attributes(given: Mapping[str, Any]) -> tuple[str, ...]:
    """The attributes to try before PRIMARY: only where there is a choice of hosts."""
    has_choice = "," in f"{given.get('host', '')}{given.get('hostaddr', '')}"
    return (READ_WRITE,) if has_choice and "target_session_attrs" not in given else ()


def _open(url: str, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> Session:
    missing = {key: defaults[key] for key in defaults.keys() - given.keys()}
    session: Session = psycopg2.connect(url, connection_factory=Session, **missing, **CONNECTION_REQUIREMENTS)
    return session


def _is_readable(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
