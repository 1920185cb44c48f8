"""Monitoring: the handlers and janitors as their records show them, the tasks that run, and the oldest due ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from domain.ids import HandlerId, JanitorId, TaskId, TypeName
from domain.progress import Progress

JANITOR_SILENCE = timedelta(seconds=20)
"""Time without a renewal of its record after which a janitor is silent. It renews it every few seconds."""
DEAD_JANITOR_RETENTION = timedelta(days=1)
"""Time for which a silent janitor is still known."""


class Liveness(StrEnum):
    """LIVE: its record is renewed. DRAINING: so, and it claims nothing more. SILENT: its record is not renewed."""

    LIVE = "live"
    DRAINING = "draining"
    SILENT = "silent"


class DrainRequest(StrEnum):
    """How an operator has asked a handler to stop: it claims nothing more, and ends.

    - GRACE: its running tasks may finish within its grace, as on SIGTERM.
    - UNLIMITED: they may finish however long they take, as on SIGUSR1.
    """

    GRACE = "grace"
    UNLIMITED = "unlimited"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerInfo:
    """Facts about a handler that do not change: its machine, its process id there, its start, its number of slots."""

    host: str
    pid: int
    started: datetime
    concurrency: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerRecord:
    """A handler as its record shows it. None: the record does not tell, since an older version wrote it.

    - `until`: the moment until which it lives; None if there is no record, but it holds tasks.
    - `last_seen`: the last renewal of the record.
    - the other fields: as in HandlerInfo.
    """

    id: HandlerId
    until: datetime | None = None
    types: Sequence[TypeName] = ()
    is_draining: bool = False
    last_seen: datetime | None = None
    host: str | None = None
    pid: int | None = None
    started: datetime | None = None
    concurrency: int | None = None

    def liveness(self, now: datetime) -> Liveness:
        """The state of the handler at that moment."""
        if self.until is None or self.until <= now:
            return Liveness.SILENT
        return Liveness.DRAINING if self.is_draining else Liveness.LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningTask:
    """A task whose function has started, as far as that was reported."""

    id: TaskId
    type: TypeName
    started: datetime
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class HeldTasks:
    """The tasks that one handler holds.

    - `first`: those that have started, the oldest start first, at most as many as were asked for.
    - `started`: the number of all that have started.
    - `claimed`: the number of those that have not started yet.
    """

    first: Sequence[RunningTask] = ()
    started: int = 0
    claimed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JanitorRecord:
    """A janitor: its machine, its process id there, its start, and the last renewal of its record."""

    id: JanitorId
    host: str
    pid: int
    started: datetime
    last_seen: datetime

    def liveness(self, now: datetime) -> Liveness:
        """The state of the janitor at that moment."""
        return Liveness.LIVE if self.last_seen > now - JANITOR_SILENCE else Liveness.SILENT


class Monitoring(Protocol):
    """Reads what goes on, by indexes alone, and writes the records of janitors. Handlers publish their own."""

    def handlers(self, now: datetime, max_silent: int) -> Sequence[HandlerRecord]:
        """The handlers that live, in the order of ids; then the silent ones, the last to fall silent first."""
        ...

    def held_tasks(self, limit: int) -> Mapping[HandlerId, HeldTasks]:
        """The running tasks of each handler that holds any; of each at most `limit` are named."""
        ...

    def oldest_due(self, now: datetime) -> Mapping[TypeName, datetime]:
        """The earliest `run_at` of the waiting tasks of each type, if it is not after `now`.

        The cost does not depend on the number of tasks.
        """
        ...

    def janitors(self, now: datetime, max_silent: int) -> Sequence[JanitorRecord]:
        """The janitors that live, in the order of ids; then the silent ones, the last to fall silent first."""
        ...

    def renew_janitor(self, janitor: JanitorRecord) -> None:
        """After: the janitor is known by this record.

        Raises StorageConflict, at once: the record is locked. Nothing has changed then.
        """
        ...

    def withdraw_janitor(self, id: JanitorId) -> None:
        """After: the janitor is unknown, unless its record is locked.

        Raises StorageConflict, at once: the records of all janitors are locked.
        """
        ...

    def forget_dead_janitors(self, now: datetime) -> int:
        """After: janitors last seen DEAD_JANITOR_RETENTION ago or earlier are unknown, but for locked records.

        Returns their number.
        """
        ...
