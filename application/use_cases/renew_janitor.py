"""Renew the record of this janitor, by which others know that it lives, and forget janitors that died long ago."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from application.errors import StorageConflict
from application.ports.clock import Clock
from application.ports.monitoring import JanitorRecord
from application.ports.unit_of_work import Begin
from domain.ids import JanitorId

FORGETTING_SECONDS = 60.0
"""Seconds between two looks for records of the dead."""


class RenewJanitor:
    """Renews the record of one janitor, which started when this object was made. Skips locked records."""

    def __init__(self, begin: Begin, clock: Clock, id: JanitorId, host: str, pid: int) -> None:
        self._begin = begin
        self._clock = clock
        now = clock.now()
        self._janitor = JanitorRecord(id=id, host=host, pid=pid, started=now, last_seen=now)
        self._forgetting_due_at = float("-inf")

    def __call__(self) -> None:
        """Renew the record, and now and then forget those of the dead. A locked record is renewed by the next call."""
        now = self._clock.now()
        with suppress(StorageConflict), self._begin() as work:
            work.monitoring.renew_janitor(replace(self._janitor, last_seen=now))
            work.commit()
        if self._clock.monotonic() >= self._forgetting_due_at:
            self._forgetting_due_at = self._clock.monotonic() + FORGETTING_SECONDS
            self._forget_dead(now)

    def _forget_dead(self, now: datetime) -> None:
        # Apart, so that a record that cannot be deleted does not make this janitor look dead.
        with suppress(StorageConflict), self._begin() as work:
            work.monitoring.forget_dead_janitors(now)
            work.commit()
