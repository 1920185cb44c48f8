"""The patience of the experiment with its own statements: one that waits for longer is cancelled, and fails.

The server's own timeouts are no help: they go by its clock, and one that began before the clock is set back ends only
when the clock has come to it again. A statement may wait for a lock that the same thread is to release.
"""

from threading import Timer
from typing import Any

from psycopg2.extensions import cursor

MAX_STATEMENT_SECONDS = 5.0


class PatientCursor(cursor):
    """A cursor that cancels each statement after MAX_STATEMENT_SECONDS of this host's monotonic clock."""

    def execute(self, *statement: Any) -> None:
        timer = Timer(MAX_STATEMENT_SECONDS, self.connection.cancel)
        timer.daemon = True
        timer.start()
        try:
            super().execute(*statement)
        finally:
            timer.cancel()
