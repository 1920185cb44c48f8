"""How a supervisor learns how far the runs of a child are, however often these say so."""

from collections.abc import Callable

from adapters.executors.process.ipc.shared_page import ProgressNote, SharedPage
from adapters.executors.process.pool.event_loop import EventLoop

CHECK_SECONDS = 0.1
"""Seconds between two looks at a board on which something changes."""


class ProgressWatch:
    """Looks at the board when the child announces a note, and from then on as long as there are new ones."""

    def __init__(self, board: SharedPage, loop: EventLoop, tell: Callable[[ProgressNote], None]) -> None:
        self._board, self._loop, self._tell = board, loop, tell
        self._version = 0
        self._is_looking = self._is_over = False

    def look(self) -> bool:
        """Tell of what is new; whether something was. Nothing is before the child has announced it."""
        note = self._board.read() if self._is_looking else None
        if note is None or note.version == self._version:
            return False
        self._version = note.version
        self._tell(note)
        return True

    def look_and_go_on(self) -> None:
        """Tell of what is new, now and as long as it changes."""
        if not self._is_looking:
            self._is_looking = True
            self._loop.later(CHECK_SECONDS, self._look_again)
        self.look()

    def close(self) -> None:
        """Look no more."""
        self._is_over = True

    def _look_again(self) -> None:
        if self._is_over:
            return
        self._board.is_announced = False  # first: what is written after the look below will be announced again
        self._is_looking = self.look()
        if self._is_looking:
            self._board.is_announced = True
            self._loop.later(CHECK_SECONDS, self._look_again)
