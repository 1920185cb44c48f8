"""The world of a trial: API, handlers and janitors over one server, and a book of what was done to them."""

import heapq
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

import httpx
import psycopg2

from tests.chaos.history import Disturbance
from tests.chaos.lines import Lines
from tests.chaos.runs import VARIABLE
from tests.chaos.server import Server
from tests.chaos.slot import Slot
from tests.conftest import ROOT
from tests.e2e.service import eventually, free_port

LEASE = 3.0
HANDLERS, JANITORS = 3, 2
FUNCTIONS = ROOT / "tests" / "chaos" / "functions.py"


class World:
    """Owned by one thread."""

    def __init__(
        self,
        folder: Path,
        *,
        handlers: int = HANDLERS,
        janitors: int = JANITORS,
        handler: str = "entrypoints.handler",
        lease: float = LEASE,
        **variables: str,
    ) -> None:
        self.folder, self.lease = folder, lease
        self.runs = folder / "runs"
        self.disturbances: list[Disturbance] = []
        self.surprises: set[str] = set()
        self.is_server_whole = True
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self.port = free_port()
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.server = Server(folder / "data")
        self.server.prepare()
        self._lines = Lines(self.server.port)
        self._environment = self._variables(lease) | variables
        self._handler = handler
        self.api = self._slot("api", "entrypoints.http")
        self.janitors = [self._slot(f"janitor-{number}", "entrypoints.janitor") for number in range(janitors)]
        self.handlers: list[Slot] = []
        for _ in range(handlers):
            self.add_handler()

    @property
    def address(self) -> str:
        """Where the API listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def slots(self) -> list[Slot]:
        """All of them."""
        return [self.api, *self.janitors, *self.handlers]

    @property
    def processes(self) -> Mapping[str, int]:
        """The pids of all processes that there ever were, by name."""
        return {name: pid for slot in self.slots for name, pid in slot.pids.items()}

    def add_handler(self) -> Slot:
        """One more."""
        self.handlers.append(self._slot(f"handler-{len(self.handlers)}", self._handler))
        return self.handlers[-1]

    def await_ready(self) -> None:
        """Until the API answers, and handlers have published their types."""
        with httpx.Client(base_url=self.address) as client:
            eventually(lambda: _is_ready(client), within=60)

    def note(self, action: str, pid: int | None, seconds: float = 0.0) -> int:
        """Put a disturbance into the book; its number there."""
        now = time.time()
        self.disturbances.append(Disturbance(action, pid, now, now + seconds))
        return len(self.disturbances) - 1

    def begin(self, action: str, pid: int | None) -> Callable[[], None]:
        """The same for one whose end will be seen: whatever is answered has to be called then."""
        number = self.note(action, pid, float("inf"))

        def end() -> None:
            self.disturbances[number] = replace(self.disturbances[number], until=time.time())

        return end

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """Have it done when the time has come."""
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._numbers), what))

    def tend(self) -> None:
        """Do what was to be done later, and fill the slots that are empty."""
        while self._later and self._later[0][0] <= time.monotonic():
            heapq.heappop(self._later)[2]()
        self.surprises.update(filter(None, (slot.tend() for slot in self.slots)))

    def calm(self) -> None:
        """Undo whatever was done, and have everybody there again."""
        while self._later:
            heapq.heappop(self._later)[2]()
        self.tend()

    def await_end_of_tasks(self, patience: float) -> bool:
        """Wait until every task has come to its end; whether it has."""
        end = time.monotonic() + patience
        while self.server.count("waiting", "running"):
            if time.monotonic() > end:
                return False
            self.tend()
            time.sleep(0.2)
        return True

    def close(self) -> None:
        """End everything."""
        with suppress(psycopg2.Error):
            self.calm()
        for slot in self.slots:
            slot.send_signal(signal.SIGCONT)
            slot.end(signal.SIGTERM)
        for slot in self.slots:
            slot.close()
        self._lines.close()
        self.server.close()

    def _slot(self, name: str, module: str) -> Slot:
        return Slot(name, module, self._lines.new(), self.server.url, self._environment, self.logs)

    def _variables(self, lease: float) -> dict[str, str]:
        return {
            "PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
            "TASKS": str(FUNCTIONS),
            "LEASE": f"{lease:g}",
            "GRACE": "3",
            "HANDLER_CONCURRENCY": "2",
            VARIABLE: str(self.runs),
        }


def _is_ready(client: httpx.Client) -> bool:
    with suppress(httpx.TransportError, KeyError):
        return client.get("/health/ready").status_code == 200 and any(
            type["live"] for type in client.get("/types").json()["types"]
        )
    return False
