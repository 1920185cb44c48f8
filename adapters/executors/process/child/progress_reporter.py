"""Reports the progress of runs: on the shared page, and with a frame if the supervisor is not looking at it."""

from itertools import count
from threading import Lock

from adapters.executors.functions.failures import storable
from adapters.executors.process.child.channel import Channel
from adapters.executors.process.ipc.frames import Kind
from adapters.executors.process.ipc.shared_page import MAX_MESSAGE_BYTES, ProgressNote, SharedPage


class ProgressReporter:
    """Functions may call it as often as they like, from any thread."""

    def __init__(self, channel: Channel, page: SharedPage) -> None:
        self._channel, self._page = channel, page
        self._versions = count(1)
        self._lock = Lock()

    def report(self, run: int, value: float, message: str) -> None:
        """Report the progress of that run. In a forked copy of the process, nothing is reported."""
        if not self._channel.is_original():
            return
        with self._lock:
            self._page.write(ProgressNote(next(self._versions), run, value, storable(message, MAX_MESSAGE_BYTES)))
            if not self._page.is_announced:
                self._page.is_announced = True
                self._channel.send((Kind.PROGRESSED, run, b""))
