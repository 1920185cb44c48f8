"""Ctrl-C and the other stop signals: the first one stops the service, a further one makes the stop hurry."""

import signal
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Handles the stop signals: each raises KeyboardInterrupt in the main thread, or sets `hurry` once it is stopping.

    The attributes are plain: a signal handler that took a lock could have interrupted the holder of that lock.
    """

    def __init__(self) -> None:
        self.hurry = False
        self._is_stopping = False
        for signum in STOP_SIGNALS:
            # An ignored signal stays ignored, as nohup asks for.
            if signal.getsignal(signum) is not signal.SIG_IGN:
                signal.signal(signum, self._interrupt)

    def start_stopping(self) -> None:
        """From now on no signal interrupts the main thread: the service is stopping."""
        self._is_stopping = True

    def _interrupt(self, signum: int, frame: FrameType | None) -> None:
        if not self._is_stopping:
            raise KeyboardInterrupt
        self.hurry = True
