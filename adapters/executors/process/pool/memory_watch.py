"""Watches how much memory a child takes."""

from collections.abc import Callable

from adapters.executors.process.pool.event_loop import EventLoop, Timer
from adapters.executors.process.pool.memory_usage import is_above

CHECK_SECONDS = 0.1
"""Seconds between two looks."""
LAST_RUN_SHARE = 0.75
"""Above this share of the limit a child is replaced after its run: the next one would begin with little memory."""


class MemoryWatch:
    """Looks at a child while runs go on, if there is a limit, and costs nothing while there are none.

    `on_heavy` is called above that share of the limit, `on_excess` with the limit above all of it.
    """

    def __init__(
        self,
        process: int,
        limit: int | None,
        loop: EventLoop,
        has_runs: Callable[[], bool],
        on_heavy: Callable[[], None],
        on_excess: Callable[[int], None],
    ) -> None:
        self._process, self._limit = process, limit
        self._has_runs, self._on_heavy, self._on_excess = has_runs, on_heavy, on_excess
        self._timer = Timer(loop, self._look)

    def begin(self) -> None:
        """Watch the child, to which a run was handed."""
        if self._limit is not None:
            self._timer.set(CHECK_SECONDS)

    def _look(self) -> None:
        if self._limit is None or not self._has_runs():
            return
        if is_above(self._process, int(self._limit * LAST_RUN_SHARE)):
            self._on_heavy()
            if is_above(self._process, self._limit):
                self._on_excess(self._limit)
        self._timer.set(CHECK_SECONDS)
