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

from tests.chaos import runs
from tests.chaos.disk import Disk
from tests.chaos.history import Fault
from tests.chaos.proxies import Proxies
from tests.chaos.receiver import WEBHOOK_SECRET, Receiver
from tests.chaos.runs import FILE_VARIABLE
from tests.chaos.server import HURRY_DELIVERIES, Server
from tests.chaos.service_process import ServiceProcess
from tests.conftest import ROOT
from tests.e2e.service import eventually
from tests.ports import free_port

LEASE_SECONDS = 3.0
HANDLERS, JANITORS = 3, 2
POLL_SECONDS = 0.05
UNDO_RETRY_SECONDS = 0.5
MAX_BLOCKED_SECONDS = 5.0
"""Seconds in which tasks that wait for others may go on, once all others have finished."""
MAX_UNDO_SECONDS = 30.0
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
        namespaced_handlers: int = 0,
        can_set_clock: bool = False,
        disk: Disk | None = None,
        **variables: str,
    ) -> None:
        self.folder, self.lease = folder, lease
        self.runs_file = folder / "runs"
        self.faults: list[Fault] = []
        self.unexpected_exits: set[str] = set()
        self.is_server_available = True
        self.has_standby = False
        self.load_ended = float("inf")
        self._calls: list[tuple[float, int, Callable[[], None]]] = []
        self._call_numbers = count()
        self.port = free_port()
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.disk = disk
        self.receiver = Receiver()
        self.server = Server(folder / "data", can_set_clock=can_set_clock)
        self.server.prepare()
        self._proxies = Proxies(self.server.port)
        self._environment = self._variables(lease) | variables
        self._handler = handler
        self.api = self._start("api", "entrypoints.http")
        self.janitors = [self._start(f"janitor-{number}", "entrypoints.janitor") for number in range(janitors)]
        self.handlers: list[ServiceProcess] = []
        for number in range(handlers):
            self.add_handler(has_namespaces=number < namespaced_handlers)

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

    def add_handler(self, *, has_namespaces: bool = False) -> ServiceProcess:
        """Start another handler."""
        role = f"handler-{len(self.handlers)}"
        self.handlers.append(self._start(role, self._handler, has_namespaces=has_namespaces))
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

    def undo_later(self, seconds: float, undo: Callable[[], None]) -> None:
        """Have `maintain` call the function after that time, again and again until the server lets it succeed."""

        def attempt() -> None:
            try:
                assert self.is_server_available
                undo()
            except (AssertionError, psycopg2.Error):
                self.call_later(UNDO_RETRY_SECONDS, attempt)

        self.call_later(seconds, attempt)

    def maintain(self) -> None:
        """Make the calls that are due, and replace the processes that have ended."""
        while self._calls and self._calls[0][0] <= time.monotonic():
            heapq.heappop(self._calls)[2]()
        if ended := [process for process in self.processes if not process.is_alive]:
            # Read after that: a function records first that it kills its handler.
            killed = {fault.pid for fault in runs.read_kills(self.runs_file) if fault.pid}
            self.unexpected_exits.update(filter(None, (process.replace_if_ended(killed) for process in ended)))

    def end_all_faults(self) -> None:
        """Make all calls now, which ends every fault, and replace the processes that have ended."""
        deadline = time.monotonic() + MAX_UNDO_SECONDS
        while self._calls and time.monotonic() < deadline:
            calls, self._calls = self._calls, []
            for _, _, call in sorted(calls):
                call()
            time.sleep(POLL_SECONDS)
        self.maintain()

    def await_finished_tasks(self, seconds: float) -> bool:
        """Wait for that time until no task waits or runs any more, and every callback was called. Whether it is so."""
        now = time.monotonic()
        deadline, busy = now + seconds, now
        self.receiver.is_reliable = True
        while (is_busy := self._has_work()) or (self.server.count_blocked() and now < busy + MAX_BLOCKED_SECONDS):
            now = time.monotonic()
            busy = now if is_busy else busy
            if now > deadline:
                return False
            self.maintain()
            self.server.execute(HURRY_DELIVERIES)
            time.sleep(0.5)
        return True

    def _has_work(self) -> bool:
        """Whether a task waits for no other one, or runs, or a callback is to be called."""
        return bool(self.server.count_unfinished() or self.server.count_pending_deliveries())

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
        self.receiver.close()

    def _start(self, role: str, module: str, *, has_namespaces: bool = False) -> ServiceProcess:
        proxy = self._proxies.new()
        return ServiceProcess(
            role, module, proxy, self.server.url, self._environment, self.logs, has_namespaces=has_namespaces
        )

    def _variables(self, lease: float) -> dict[str, str]:
        return {
            "PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
            "TASKS": str(FUNCTIONS),
            "LEASE": f"{lease:g}",
            "GRACE": "3",
            "HANDLER_CONCURRENCY": "2",
            "MAX_BODY": "8388608",
            "WEBHOOK_SECRET": WEBHOOK_SECRET,
            "WEBHOOK_NETWORKS": "127.0.0.1",
            FILE_VARIABLE: str(self.runs_file),
        }


def _is_ready(client: httpx.Client) -> bool:
    with suppress(httpx.TransportError, KeyError):
        return client.get("/health/ready").status_code == 200 and any(
            type["live"] for type in client.get("/types").json()["types"]
        )
    return False
