"""Whether the storage has answered for long enough, so that whoever lives could tell it so."""

from application.ports.clock import Clock


class RescueGuard:
    """Looks at the storage, each with a beginning and an end, one after the other.

    The watch begins anew after whatever may have kept others from renewing, noticed or not: an outage, an answer that
    took long, a time in which nobody looked, a clock that was set.
    """

    def __init__(self, clock: Clock, lease: float) -> None:
        self._clock = clock
        self._lease = lease
        self._since: float | None = None
        self._began = self._ended = self._difference = 0.0

    def begin(self) -> None:
        """A look begins."""
        before, self._began = self._ended, self._clock.monotonic()
        difference = self._clock.now().timestamp() - self._began
        if self._began - before > self._lease / 2 or abs(difference - self._difference) > self._lease / 4:
            self.broken()
        self._difference = difference

    def end(self) -> None:
        """It was answered."""
        self._ended = self._clock.monotonic()
        if self._since is None or self._ended - self._began > self._lease / 3:
            self._since = self._ended

    def broken(self) -> None:
        """It was not answered: nothing is known any more."""
        self._since = None

    @property
    def has_lasted(self) -> bool:
        """Whether it goes on for a whole lease."""
        return self._since is not None and self._ended - self._since >= self._lease
