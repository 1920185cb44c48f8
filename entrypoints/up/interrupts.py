"""Ctrl-C and its kin: the first one ends what the main thread does, the next ones hurry its end."""

import signal
import threading
from types import FrameType

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def listen() -> threading.Event:
    """From now on the first signal raises KeyboardInterrupt in the main thread; later ones set what is returned."""
    first, hurry = threading.Event(), threading.Event()

    def interrupt(signum: int, frame: FrameType | None) -> None:
        if first.is_set():
            hurry.set()
            return
        first.set()
        raise KeyboardInterrupt

    for signum in ENDINGS:
        # What was ignored stays ignored: nohup means it.
        if signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, interrupt)
    return hurry
