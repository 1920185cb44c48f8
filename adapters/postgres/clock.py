"""The database's time on every host: the host's monotonic clock and an offset that is measured in the background."""

import time
from datetime import UTC, datetime
from threading import Event, Thread

from sqlalchemy import Connection, text

from adapters.postgres.database import Database
from application.errors import StorageUnavailable

MEASURE_SECONDS, RETRY_SECONDS = 30.0, 1.0
"""Seconds between two measurements, and after one that failed."""
SAMPLES = 5
SELECT_NOW = text("SELECT CAST(extract(epoch FROM clock_timestamp()) AS float8)")
RUNNING_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""A clock that nobody sets, and that goes on while the machine sleeps where there is such a one."""


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
        """Measure in the background, from now on until closed."""
        self._thread = Thread(target=self._keep_measuring, name="clock", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop measuring."""
        self._closed.set()
        if self._thread:
            self._thread.join(timeout=2)

    def measure(self) -> None:
        """Take the offset anew, by the quickest of a few answers. StorageUnavailable where the database is away."""
        with self._database.transaction() as connection:
            connection.execute(SELECT_NOW)  # what comes first brings more than an answer: the transaction, the plan
            _, self._offset = min(self._sample(connection) for _ in range(SAMPLES))

    def _sample(self, connection: Connection) -> tuple[float, float]:
        """How long an answer took, and the offset by it."""
        before = time.clock_gettime(RUNNING_CLOCK)
        there = float(connection.execute(SELECT_NOW).scalar_one())
        after = time.clock_gettime(RUNNING_CLOCK)
        return after - before, there - (before + after) / 2

    def _keep_measuring(self) -> None:
        pause = 0.0
        while not self._closed.wait(pause):
            try:
                self.measure()
                pause = MEASURE_SECONDS
            except StorageUnavailable:
                pause = RETRY_SECONDS
