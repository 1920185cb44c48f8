"""The database's time on every host: the host's monotonic clock plus an offset that is measured in the background."""

import logging
import time
from datetime import UTC, datetime
from threading import Event, Thread

from sqlalchemy import Connection, text

from adapters.postgres.database import Database
from application.errors import StorageUnavailable

MEASURE_SECONDS, RETRY_SECONDS = 30.0, 1.0
"""Seconds between two measurements, and after one that failed."""
SAMPLES = 5
"""Number of answers from which a measurement takes the quickest."""
SELECT_NOW = text("SELECT CAST(extract(epoch FROM clock_timestamp()) AS float8)")
RUNNING_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""A clock that is never set. On systems that have CLOCK_BOOTTIME it also runs on while the machine sleeps."""

log = logging.getLogger(__name__)


class PostgresClock:
    """Implements application.ports.clock.Clock. Until the first measurement it shows the host's own time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._offset = time.time() - time.clock_gettime(RUNNING_CLOCK)
        self._closed = Event()
        self._thread: Thread | None = None

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.clock_gettime(RUNNING_CLOCK) + self._offset, UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def open(self) -> None:
        """Start measuring in the background."""
        self._thread = Thread(target=self._measure_repeatedly, name="clock", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop measuring."""
        self._closed.set()
        if self._thread:
            self._thread.join(timeout=2)

    def measure(self) -> None:
        """Measure the offset once, by the quickest of SAMPLES answers.

        Raises StorageUnavailable: the database is away.
        """
        with self._database.transaction() as connection:
            # The first statement also begins the transaction, so its answer takes longer and is no sample.
            connection.execute(SELECT_NOW)
            _, self._offset = min(self._sample(connection) for _ in range(SAMPLES))

    def _sample(self, connection: Connection) -> tuple[float, float]:
        """Return the seconds that an answer took, and the offset that it shows."""
        before = time.clock_gettime(RUNNING_CLOCK)
        there = float(connection.execute(SELECT_NOW).scalar_one())
        after = time.clock_gettime(RUNNING_CLOCK)
        return after - before, there - (before + after) / 2

    def _measure_repeatedly(self) -> None:
        pause = 0.0
        while not self._closed.wait(pause):
            try:
                self.measure()
                pause = MEASURE_SECONDS
            except StorageUnavailable:
                pause = RETRY_SECONDS
            except Exception:
                log.exception("the clock of the database cannot be measured, and is measured again")
                pause = MEASURE_SECONDS
