"""The rescue guard: which leases have lapsed, by what a rescuer has seen in one continuous watch."""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from math import inf

from application.ports.clock import Clock
from domain.ids import HandlerId, Hold
from domain.lease import Lease
from domain.task import Task

MAX_CONFIRMATION_SECONDS = 2.5
"""Seconds between two looks that find a task free, at most; a third of a short lease.

A handler whose renewal has failed tries it again sooner.
"""
MAX_LEASE_SECONDS = 3600.0
"""Seconds of the longest lease that a handler takes; a record of a handler with a longer one is odd."""
ABANDONED_SHARE = 0.75
"""Share of a lease by which the other leases of a handler are newer than one that it has abandoned."""
CLOCK_SECONDS = 60.0
"""Seconds within which every process has measured a clock that was set."""


class RescueGuard:
    """Observes leases by looks at the storage, each between `begin` and `end`. `lease` is in seconds.

    A lease has lapsed when its value has not changed for a whole lease of this process's monotonic clock. No value is
    compared with a clock, so a clock of the storage that is wrong or set delays and hastens nothing.

    The watch starts anew after anything that may have kept handlers from renewing: a look that failed or was slow, a
    long time without looks, a restart of the storage.
    """

    def __init__(self, clock: Clock, lease: float) -> None:
        self._clock = clock
        self._lease = lease
        self._confirmation = min(MAX_CONFIRMATION_SECONDS, lease / 3)
        self._since: float | None = None
        self._began = self._ended = -inf
        self._up_since: datetime | None = None
        self._seen: Mapping[Lease, float] = {}
        self._free: Mapping[tuple[Hold, Lease | None], float] = {}
        self._clock_offset, self._clock_set_at = self._measured_clock_offset(), -inf

    def begin(self) -> None:
        """A look begins."""
        self._began = self._clock.monotonic()
        if self._began - self._ended > self._lease / 2:
            self.broken()
        self._note_clock()

    def end(self, leases: Mapping[Lease, float | None], up_since: datetime) -> Set[Lease]:
        """The look has succeeded. The lapsed ones of the leases that it has seen.

        `leases`: with the seconds for which their handlers take leases, where these are known.
        `up_since`: identifies the run of the storage. It is no moment of any clock here.
        """
        self._ended = self._clock.monotonic()
        if self._ended - self._began > self._lease / 3 or up_since != self._up_since:
            self.broken()
        self._up_since = up_since
        self._since = self._ended if self._since is None else self._since
        self._seen = {lease: self._seen.get(lease, self._ended) for lease in leases}
        return self._lapsed({lease: self._seconds(own) for lease, own in leases.items()})

    def broken(self) -> None:
        """A look has failed, or came too late: the watch starts anew with the next one."""
        self._since, self._seen, self._free = None, {}, {}

    def confirmed(self, free: Sequence[Task]) -> Sequence[Task]:
        """Those of the tasks that an earlier look found free under the same lease.

        `free`: tasks under lapsed leases that this look could lock and write. A task whose lock was just let go, or for
        which the disk had no room, may have a live handler, which could not renew: it has until the next look to do so.
        """
        found_at = self._clock.monotonic()
        self._free = {key: self._free.get(key, found_at) for key in map(_observed, free)}
        return [task for task in free if self._began - self._free[_observed(task)] >= self._confirmation]

    @property
    def next_look_in(self) -> float:
        """Seconds until the next look at free tasks, which may confirm them; inf if there are none."""
        return self._confirmation / 2 if self._free else inf

    @property
    def sees_nothing(self) -> bool:
        """Whether the last look has succeeded, and seen no lease that may lapse."""
        return self._since is not None and not self._seen

    @property
    def has_lasted(self) -> bool:
        """Whether live handlers have had a whole lease in which to renew, by a clock that all of them know."""
        now = self._clock.monotonic()
        self._note_clock()
        is_watching = self._since is not None and now - self._ended <= self._lease / 2
        is_clock_known = now - self._clock_set_at >= CLOCK_SECONDS + self._lease
        return is_watching and is_clock_known and self._ended - (self._since or 0) >= self._lease

    def _seconds(self, own: float | None) -> float:
        """Seconds after which a lease has lapsed: never sooner than one of this process, which looks that often."""
        return min(max(self._lease, own or 0), max(self._lease, MAX_LEASE_SECONDS))

    def _lapsed(self, seconds: Mapping[Lease, float]) -> Set[Lease]:
        """Those leases that were seen unchanged for their seconds, and none of whose handler may be about to lapse.

        The last lease of a dead handler lapses soon after its first, and all its tasks are taken back together. A lease
        that is much older than the others of its handler was abandoned by a handler that lives.
        """
        lapsed = {lease for lease in seconds if self._began - self._seen[lease] >= seconds[lease]}
        fresh_since: dict[HandlerId, float] = {}
        for lease in seconds.keys() - lapsed:
            fresh_since[lease.handler] = min(self._seen[lease], fresh_since.get(lease.handler, inf))
        return {
            lease
            for lease in lapsed
            if fresh_since.get(lease.handler, inf) - self._seen[lease] > ABANDONED_SHARE * seconds[lease]
        }

    def _note_clock(self) -> None:
        offset = self._measured_clock_offset()
        if abs(offset - self._clock_offset) > self._lease / 4:
            self._clock_set_at = self._clock.monotonic()
        self._clock_offset = offset

    def _measured_clock_offset(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()


def _observed(task: Task) -> tuple[Hold, Lease | None]:
    return task.hold, task.lease
