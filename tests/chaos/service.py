"""The service under test: API, handlers and janitors over one server, and the record of their faults."""

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

from tests.chaos.history import Fault
from tests.chaos.proxies import Proxies
from tests.chaos.runs import FILE_VARIABLE
from tests.chaos.server import Server
from tests.chaos.service_process import ServiceProcess
from tests.conftest import ROOT
from tests.e2e.service import eventually, free_port

LEASE_SECONDS = 3.0
HANDLERS, JANITORS = 3, 2
FUNCTIONS = ROOT / "tests" / "chaos" / "functions.py"


class ServiceUnderTest:
    """The processes of the service, their database and the faults so far. Used by one thread."""

    def __init__(
        self,
        folder: Path,
        *,
        handlers: int = HANDLERS,
        janitors: int = JANITORS,
        handler: str = "entrypoints.handler",
        lease: float = LEASE_SECONDS,
        **variables: str,
    ) -> None:
        self.folder, self.lease = folder, lease
        self.runs_file = folder / "runs"
        self.faults: list[Fault] = []
        self.unexpected_exits: set[str] = set()
        self.is_server_available = True
        self._calls: list[tuple[float, int, Callable[[], None]]] = []
        self._call_numbers = count()
        self.port = free_port()
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.server = Server(folder / "data")
        self.server.prepare()
        self._proxies = Proxies(self.server.port)
        self._environment = self._variables(lease) | variables
        self._handler = handler
        self.api = self._start("api", "entrypoints.http")
        self.janitors = [self._start(f"janitor-{number}", "entrypoints.janitor") for number in range(janitors)]
        self.handlers: list[ServiceProcess] = []
        for _ in range(handlers):
            self.add_handler()

    @property
    def address(self) -> str:
        """The URL of the API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def processes(self) -> list[ServiceProcess]:
        """The API, all janitors and all handlers."""
        return [self.api, *self.janitors, *self.handlers]

    @property
    def pids(self) -> Mapping[str, int]:
        """The pids of all processes so far, by name."""
        return {name: pid for process in self.processes for name, pid in process.pids.items()}

    def add_handler(self) -> ServiceProcess:
        """Start another handler."""
        self.handlers.append(self._start(f"handler-{len(self.handlers)}", self._handler))
        return self.handlers[-1]

    def await_ready(self) -> None:
        """Wait until the API answers, and handlers have published their types."""
        with httpx.Client(base_url=self.address) as client:
            eventually(lambda: _is_ready(client), within=60)

    def record_fault(self, action: str, pid: int | None, seconds: float = 0.0) -> int:
        """Record a fault that begins now. Its index in `faults`."""
        now = time.time()
        self.faults.append(Fault(action, pid, now, now + seconds))
        return len(self.faults) - 1

    def begin_fault(self, action: str, pid: int | None) -> Callable[[], None]:
        """Record a fault that lasts until the returned function is called."""
        index = self.record_fault(action, pid, float("inf"))

        def end() -> None:
            self.faults[index] = replace(self.faults[index], until=time.time())

        return end

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        """Have `maintain` call the function after that time."""
        heapq.heappush(self._calls, (time.monotonic() + seconds, next(self._call_numbers), function))

    def maintain(self) -> None:
        """Make the calls that are due, and replace the processes that have ended."""
        while self._calls and self._calls[0][0] <= time.monotonic():
            heapq.heappop(self._calls)[2]()
        self.unexpected_exits.update(filter(None, (process.replace_if_ended() for process in self.processes)))

    def end_all_faults(self) -> None:
        """Make all calls now, which ends every fault, and replace the processes that have ended."""
        while self._calls:
            heapq.heappop(self._calls)[2]()
        self.maintain()

    def await_finished_tasks(self, seconds: float) -> bool:
        """Wait for that time until no task waits or runs any more. Whether none does."""
        deadline = time.monotonic() + seconds
        while self.server.count("waiting", "running"):
            if time.monotonic() > deadline:
                return False
            self.maintain()
            time.sleep(0.2)
        return True

    def close(self) -> None:
        """End all processes and the server."""
        with suppress(psycopg2.Error):
            self.end_all_faults()
        for process in self.processes:
            process.send_signal(signal.SIGCONT)
            process.end(signal.SIGTERM)
        for process in self.processes:
            process.close()
        self._proxies.close()
        self.server.close()

    def _start(self, role: str, module: str) -> ServiceProcess:
        return ServiceProcess(role, module, self._proxies.new(), self.server.url, self._environment, self.logs)

    def _variables(self, lease: float) -> dict[str, str]:
        return {
            "PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
            "TASKS": str(FUNCTIONS),
            "LEASE": f"{lease:g}",
            "GRACE": "3",
            "HANDLER_CONCURRENCY": "2",
            FILE_VARIABLE: str(self.runs_file),
        }


def _is_ready(client: httpx.Client) -> bool:
    with suppress(httpx.TransportError, KeyError):
        return client.get("/health/ready").status_code == 200 and any(
            type["live"] for type in client.get("/types").json()["types"]
        )
    return False
