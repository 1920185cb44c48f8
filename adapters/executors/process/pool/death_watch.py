"""Detection of deaths: by pidfd, or by polling where the system has none."""

from collections.abc import Callable

from adapters.executors.process.pool.child_process import ChildProcess
from adapters.executors.process.pool.event_loop import EventLoop

DEATH_POLL_SECONDS = 0.05
"""Seconds between two looks at a child without a pidfd."""


class DeathWatch:
    """Calls an action once the child has ended."""

    def __init__(self, child: ChildProcess, loop: EventLoop, on_death: Callable[[], None]) -> None:
        self._child, self._loop, self._on_death = child, loop, on_death
        if child.pidfd is not None:
            loop.add_reader(child.pidfd, on_death)
        else:
            loop.call_later(DEATH_POLL_SECONDS, self._poll)

    def close(self) -> None:
        """Release the pidfd, so that it can be closed."""
        if self._child.pidfd is not None:
            self._loop.remove_reader(self._child.pidfd)

    def _poll(self) -> None:
        if self._child.has_died():
            self._on_death()
        else:
            self._loop.call_later(DEATH_POLL_SECONDS, self._poll)
