"""How a child says how far its runs are: on the board, and with a word to a supervisor that does not look anyway."""

from itertools import count
from threading import Lock

from adapters.executors.functions.failures import storable
from adapters.executors.process.child.channel import Channel
from adapters.executors.process.ipc.frames import Kind
from adapters.executors.process.ipc.shared_page import MAX_MESSAGE_BYTES, ProgressNote, SharedPage


class ProgressReporter:
    """Functions may call it as often as they like, from any thread."""

    def __init__(self, channel: Channel, board: SharedPage) -> None:
        self._channel, self._board = channel, board
        self._versions = count(1)
        self._lock = Lock()

    def report(self, run: int, value: float, message: str) -> None:
        """That run is so far. A forked copy of the process is not asked."""
        if not self._channel.is_ours():
            return
        with self._lock:
            self._board.write(ProgressNote(next(self._versions), run, value, storable(message, MAX_MESSAGE_BYTES)))
            if not self._board.is_announced:
                self._board.is_announced = True
                self._channel.say((Kind.PROGRESSED, run, b""))
