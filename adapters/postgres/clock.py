"""The database's time on every host: the host's monotonic clock and an offset that is measured in the background."""

import time
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from sqlalchemy import text

from adapters.postgres.database import Database, errors_translated
from application.errors import StorageUnavailable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVERY, AGAIN = 30.0, 1.0
"""Seconds between two measurements, and after one that failed; clocks drift by less than a millisecond in the first."""


class PostgresClock:
    """Implements application.ports.clock.Clock. Until the first measurement it shows the host's own time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._offset = time.time() - time.monotonic()
        self._closed = Event()
        self._thread: Thread | None = None

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=time.monotonic() + self._offset)

    def monotonic(self) -> float:
        return time.monotonic()

    def open(self) -> None:
        """Measure in the background, from now on until closed."""
        self._thread = Thread(target=self._keep_measuring, name="clock", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop measuring."""
        self._closed.set()
        if self._thread:
            self._thread.join()

    def measure(self) -> None:
        """Take the offset anew. StorageUnavailable where the database is away."""
        with errors_translated(), self._database.engine.connect() as connection:
            before = time.monotonic()
            there = connection.execute(
                text("SELECT CAST(extract(epoch FROM clock_timestamp()) AS float8)")
            ).scalar_one()
            after = time.monotonic()
        self._offset = float(there) - (before + after) / 2

    def _keep_measuring(self) -> None:
        pause = 0.0
        while not self._closed.wait(pause):
            try:
                self.measure()
                pause = EVERY
            except StorageUnavailable:
                pause = AGAIN
