"""SIGTERM and SIGINT: while a process starts, either ends it at once, since it has nothing to finish yet.

A start is mostly imports and waits of C libraries, which no handler in Python interrupts, and a handler also misses a
signal that comes just before a wait. So a thread acts on the signals.
"""

import os
import signal
from collections.abc import Callable
from threading import Thread

from entrypoints import log_streams

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Ends this process with the exit code when it is told to stop, until `handle` says what to do instead."""

    def __init__(self, exit_code: int = 0) -> None:
        self._exit_code = exit_code
        self._stop = self._end
        self._reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer)
        for number in STOP_SIGNALS:
            signal.signal(number, _do_nothing)  # Without a handler nothing is written, and process 1 hears nothing.
        Thread(target=self._run, name="stop signals", daemon=True).start()

    def handle(self, stop: Callable[[], None]) -> None:
        """From now on, call this function in a thread each time that the process is told to stop."""
        self._stop = stop

    def _run(self) -> None:
        while received := os.read(self._reader, 1):
            if received[0] in STOP_SIGNALS:
                self._stop()

    def _end(self) -> None:
        log_streams.drain()
        os._exit(self._exit_code)


def end_forked_processes() -> None:
    """From now on, let the signals end forked processes until those have handlers of their own.

    The signals wait during the fork: a handler that a new process inherits would take one and do nothing.
    """
    os.register_at_fork(before=_block, after_in_parent=_unblock, after_in_child=_reset)


def _do_nothing(number: int, frame: object) -> None:
    pass


def _block() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)


def _unblock() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _reset() -> None:
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    _unblock()
