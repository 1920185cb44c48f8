"""Ctrl-C and its kin: what the main thread does ends by it; while it is ending, it hurries."""

import signal
from types import FrameType

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Each raises KeyboardInterrupt in the main thread, until `only_hurry` was called: from then on they set `hurry`.

    Plain attributes, because a handler that takes a lock may have interrupted the one who holds it.
    """

    def __init__(self) -> None:
        self.hurry = False
        self._raises = True
        for signum in ENDINGS:
            # What was ignored stays ignored: nohup means it.
            if signal.getsignal(signum) is not signal.SIG_IGN:
                signal.signal(signum, self._interrupt)

    def only_hurry(self) -> None:
        """The end has begun: nothing may break it off."""
        self._raises = False

    def _interrupt(self, signum: int, frame: FrameType | None) -> None:
        if self._raises:
            raise KeyboardInterrupt
        self.hurry = True
