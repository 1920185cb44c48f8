"""Loads changed functions: another handler starts with them, and the one before finishes what it runs."""

from collections.abc import Callable
from typing import NamedTuple

from entrypoints.up.process import Process
from entrypoints.up.restarter import Restarter
from entrypoints.up.terminal import print_line
from entrypoints.up.watched_files import WatchedFiles


class Running(NamedTuple):
    """A process, and the thread that restarts it."""

    process: Process
    restarter: Restarter


class Reloader:
    """The handler, and the next one while it starts.

    - `start`: starts another handler.
    """

    def __init__(self, files: WatchedFiles, handler: Running, start: Callable[[], Running]) -> None:
        self._files, self._handler, self._start = files, handler, start
        self._next: Running | None = None

    def look(self) -> None:
        """Start another handler after a change, and let it take over once it is ready. To be called again and again."""
        if self._files.have_changed():
            print_line("a file of the functions has changed: loading it")
            if self._next:
                self._next.restarter.stop()
            self._next = self._start()
        if self._next and self._next.process.ready.is_set():
            print_line("the changed functions are loaded; what runs by those before finishes")
            self._handler.restarter.drain()
            self._handler, self._next = self._next, None
        if self._next and not self._next.restarter.is_alive():
            print_line("the changed functions cannot be loaded, as said above; those before stay until the next change")
            self._next = None
