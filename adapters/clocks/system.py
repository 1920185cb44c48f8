"""The clock of this host."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Implements application.ports.clock.Clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()
