"""Reads the progress of the runs of a child, however often they report it."""

from collections.abc import Callable

from adapters.executors.process.ipc.shared_page import ProgressNote, SharedPage
from adapters.executors.process.pool.event_loop import EventLoop, Timer

CHECK_SECONDS = 0.1
"""Seconds between two looks at a page on which the progress changes."""


class ProgressWatch:
    """Looks at the shared page once the child has announced a progress note, and as long as there are new ones."""

    def __init__(self, page: SharedPage, loop: EventLoop, on_progress: Callable[[ProgressNote], None]) -> None:
        self._page, self._on_progress = page, on_progress
        self._timer = Timer(loop, self._look_again)
        self._version = 0

    def begin(self) -> None:
        """Look now, and again as long as there are new notes: the child has announced one."""
        if not self._timer.is_set:
            self._timer.set(CHECK_SECONDS)
        self._look()

    def look(self) -> None:
        """Report a new note, if the child has announced one."""
        if self._timer.is_set:
            self._look()

    def _look(self) -> bool:
        note = self._page.read()
        if note is None or note.version == self._version:
            return False
        self._version = note.version
        self._on_progress(note)
        return True

    def _look_again(self) -> None:
        if self._page.is_closed:
            return
        self._page.is_announced = False  # first, so that a note which is written after the look is announced again
        if self._look():
            self._page.is_announced = True
            self._timer.set(CHECK_SECONDS)
