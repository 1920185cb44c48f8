"""Reader of the pipe of a child: hands its frames on, and finds out when there will be no more."""

from collections.abc import Callable

from adapters.executors.process.ipc.frames import BrokenReport, Frame
from adapters.executors.process.pool.child_process import ChildProcess
from adapters.executors.process.pool.event_loop import EventLoop

DEATH_GRACE_SECONDS = 0.1
"""Seconds between the end of a child's pipe and its death, if it was about to die."""


class PipeReader:
    """Reads whenever something has arrived.

    - `on_frame`: called with each frame, in order.
    - `on_read`: called after all that had arrived.
    - `on_broken`: called with the reason when the pipe holds something that makes no sense.
    - `on_closed`: called some time after the end of the pipe, for a child that lives on without it.
    """

    def __init__(
        self,
        child: ChildProcess,
        loop: EventLoop,
        on_frame: Callable[[Frame], None],
        on_read: Callable[[], None],
        on_broken: Callable[[str], None],
        on_closed: Callable[[], None],
    ) -> None:
        self._child, self._loop = child, loop
        self._on_frame, self._on_read, self._on_broken, self._on_closed = on_frame, on_read, on_broken, on_closed
        loop.add_reader(child.pipe, self.read)

    def read(self) -> None:
        """Hand on what has arrived."""
        if self._child.is_silent:
            return
        try:
            for frame in self._child.frames():
                self._on_frame(frame)
            self._on_read()
        except BrokenReport as error:
            self._child.is_silent = True
            self._on_broken(str(error))
        if self._child.is_silent:
            self.close()
            self._loop.call_later(DEATH_GRACE_SECONDS, self._on_closed)

    def close(self) -> None:
        """Release the pipe, so that it can be closed."""
        self._loop.remove_reader(self._child.pipe)
