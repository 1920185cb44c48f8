"""How long a handler that has nothing to do goes on, where its machine is wanted for its tasks alone."""

from math import inf

from application.supervisor.state import SupervisorState


class Linger:
    """Is over once nothing has been held or has had to be written for so many seconds; never without a number.

    Time in which the storage is away does not count: a handler that cannot reach it does not know whether it has
    something to do. So the time begins when the handler is ready.

    - `lease`: seconds, within which leases have been renewed while the storage is there.
    """

    def __init__(self, state: SupervisorState, seconds: float | None, lease: float) -> None:
        self._state = state
        self._seconds = inf if seconds is None else seconds
        self._lease = lease
        self._idle_since = inf
        self._is_over = False

    @property
    def is_over(self) -> bool:
        """Whether it is over. Once it is, it stays so."""
        return self._is_over

    def advance(self) -> None:
        """Look at the state. In each step, so that no run falls between two looks."""
        now = self._state.clock.monotonic()
        self._idle_since = min(now, self._idle_since) if self._is_idle() else inf
        self._is_over = self._is_over or now >= self.due_at()

    def due_at(self) -> float:
        """Monotonic time at which it is over if nothing comes; inf while there is something to do."""
        return inf if self._is_over else self._idle_since + self._seconds

    def _is_idle(self) -> bool:
        state = self._state
        return state.is_empty and not state.unstorable and state.is_renewed_within(self._lease)
