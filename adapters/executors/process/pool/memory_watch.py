"""How a supervisor sees that a child takes too much memory."""

from collections.abc import Callable

from adapters.executors.process.pool.event_loop import EventLoop
from adapters.executors.process.pool.memory_usage import is_above

CHECK_SECONDS = 0.1
"""Seconds between two looks."""
RETIRE_SHARE = 0.75
"""The share of the limit from which on a child is not used for another run, which would begin with little room."""


class MemoryWatch:
    """Looks at a child while runs go on there, if there is a limit, and costs nothing while there are none."""

    def __init__(
        self,
        process: int,
        limit: int | None,
        loop: EventLoop,
        heavy: Callable[[], None],
        excessive: Callable[[int], None],
    ) -> None:
        self._process, self._limit, self._loop = process, limit, loop
        self._tell_heavy, self._tell_excessive = heavy, excessive
        self._goes_on = self._is_looking = False

    def begin(self) -> None:
        """A run goes on."""
        self._goes_on = True
        if self._limit is not None and not self._is_looking:
            self._is_looking = True
            self._loop.later(CHECK_SECONDS, self._look)

    def end(self) -> None:
        """None does."""
        self._goes_on = False

    def _look(self) -> None:
        self._is_looking = self._goes_on
        if self._limit is None or not self._is_looking:
            return
        if is_above(self._process, int(self._limit * RETIRE_SHARE)):
            self._tell_heavy()
            if is_above(self._process, self._limit):
                self._tell_excessive(self._limit)
        self._loop.later(CHECK_SECONDS, self._look)
