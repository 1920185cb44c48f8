"""The rescue guard: whether the storage has answered for long enough for live handlers to have renewed their leases."""

from application.ports.clock import Clock


class RescueGuard:
    """Watches requests to the storage, which come one after the other, each between `begin` and `end`.

    The watch starts anew after anything that may have kept handlers from renewing, whether or not a request noticed it:
    an outage, a slow answer, a long time without requests, a clock that was set. `lease` is in seconds.
    """

    def __init__(self, clock: Clock, lease: float) -> None:
        self._clock = clock
        self._lease = lease
        self._since: float | None = None
        self._began = self._ended = self._clock_offset = 0.0

    def begin(self) -> None:
        """A request begins."""
        self._began = self._clock.monotonic()
        idle = self._began - self._ended
        clock_offset = self._clock.now().timestamp() - self._began
        if idle > self._lease / 2 or abs(clock_offset - self._clock_offset) > self._lease / 4:
            self.broken()
        self._clock_offset = clock_offset

    def end(self) -> None:
        """The request was answered."""
        self._ended = self._clock.monotonic()
        if self._since is None or self._ended - self._began > self._lease / 3:
            self._since = self._ended

    def broken(self) -> None:
        """The request was not answered: the watch starts anew with the next answer."""
        self._since = None

    @property
    def has_lasted(self) -> bool:
        """Whether the watch has gone on for a whole lease."""
        return self._since is not None and self._ended - self._since >= self._lease
