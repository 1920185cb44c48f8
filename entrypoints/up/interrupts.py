"""Ctrl-C and the other stop signals: the first one stops the service, a further one makes the stop hurry."""

import signal
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupt(BaseException):
    """A stop signal has come.

    Not KeyboardInterrupt: where that is raised in code that is executed from a string, as a data class is, Python ends
    by a signal, though it is handled.
    """


class Interrupts:
    """Handles the stop signals: each raises Interrupt in the main thread, or sets `hurry` once it is stopping.

    The attributes are plain: a signal handler that took a lock could have interrupted the holder of that lock.
    """

    def __init__(self) -> None:
        self.hurry = False
        self._is_told = False
        self._is_stopping = False
        for signum in STOP_SIGNALS:
            # An ignored signal stays ignored, as nohup asks for.
            if signal.getsignal(signum) is not signal.SIG_IGN:
                signal.signal(signum, self._interrupt)

    def check(self) -> None:
        """Raise Interrupt if there was a signal. One that comes during an import may be lost at first.

        Python drops what is raised while it calls back from a weak reference, as it does for each import.
        """
        if self._is_told:
            raise Interrupt

    def start_stopping(self) -> None:
        """From now on no signal interrupts the main thread: the service is stopping."""
        self._is_stopping = True

    def _interrupt(self, signum: int, frame: FrameType | None) -> None:
        if self._is_stopping:
            self.hurry = True
        else:
            self._is_told = True
            raise Interrupt
