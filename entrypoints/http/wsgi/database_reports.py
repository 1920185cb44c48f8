"""Reports of the workers to their parent: what each try to prepare the database has found."""

import logging
from collections.abc import Callable
from enum import Enum, auto
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from threading import Event, Thread
from typing import TypeAlias

log = logging.getLogger(__name__)


class DatabaseState(Enum):
    """What a try has found. Where the database cannot be used, the report is the sentence that says why.

    READY_AND_OPEN: requests need no API key, since there is none.
    """

    READY = auto()
    READY_AND_OPEN = auto()
    AWAY = auto()


Reports: TypeAlias = "Connection[DatabaseState | str, None]"


class DatabaseReports(Thread):
    """The thread that receives the reports.

    - `on_unusable`: called where the database cannot be used, and no worker has found it ready before. Later, a worker
      that starts anew waits: what is wrong may be mended.
    - `unusable`: the sentence of that report.
    - `is_tried`: set when the first report has found nothing that stops the start.
    - `is_open`: whether the API was open when it began to serve.
    """

    def __init__(self, on_unusable: Callable[[], None]) -> None:
        super().__init__(name="database reports", daemon=True)
        self._on_unusable = on_unusable
        self._reader, self.writer = Pipe(duplex=False)
        self._was_ready = False
        self.unusable: str | None = None
        self.is_tried = Event()
        self.is_open = False

    def run(self) -> None:
        """Receive until the process ends."""
        while True:
            match self._reader.recv():
                case str() as sentence if self._was_ready:
                    log.warning("a worker is waiting: %s", sentence)
                case str() as sentence:
                    self.unusable = sentence
                    self._on_unusable()
                case state:
                    self._was_ready |= state is not DatabaseState.AWAY
                    self.is_open |= state is DatabaseState.READY_AND_OPEN
                    self.is_tried.set()
