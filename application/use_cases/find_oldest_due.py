"""Find the oldest due task of each type."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from application.cached import Cached
from application.errors import StorageUnavailable
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin
from domain.ids import TypeName


class FindOldestDue:
    """Finds the earliest `run_at` of the due tasks of each type, at most once a second."""

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock
        self._cached = Cached(self._read, clock)
        self._last: Mapping[TypeName, datetime] | None = None

    def __call__(self) -> Mapping[TypeName, datetime]:
        """By type; types without a due task are left out. While the storage is away, those that were read last.

        Raises StorageUnavailable: none could be read yet.
        """
        with suppress(StorageUnavailable):
            self._last = self._cached()
        if self._last is None:
            raise StorageUnavailable
        return self._last

    def _read(self) -> Mapping[TypeName, datetime]:
        with self._begin() as work:
            return work.monitoring.oldest_due(self._clock.now())
