"""Start and stop the whole service on one machine, in order."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from entrypoints.settings import Settings
from entrypoints.up.address import Address
from entrypoints.up.errors import Refused
from entrypoints.up.interrupts import Interrupts
from entrypoints.up.process import CONFIGURATION_EXIT_CODE, Process
from entrypoints.up.reloader import Reloader, Running
from entrypoints.up.restarter import Restarter
from entrypoints.up.server import Database, Server
from entrypoints.up.terminal import print_line
from entrypoints.up.watched_files import WatchedFiles

STOP_MARGIN_SECONDS = 10.0
"""Seconds beyond the grace that a process may take to end."""
RELOAD_POLL_SECONDS = 0.3
"""Seconds between two looks at the files of the functions."""
ROOT = Path(__file__).resolve().parents[2]
"""The folder in which handlers look for files with relative names."""
SLOW_START_SECONDS = 15.0
"""Seconds between two lines that tell what a start is waiting for."""


class Service:
    """The embedded PostgreSQL unless another database is set, then the API, the handler and the janitor."""

    def __init__(
        self,
        settings: Settings,
        server: Server | None,
        prepare_database: Callable[[Settings, str], None],
        interrupts: Interrupts,
        reloads: bool = False,
    ) -> None:
        self._settings, self._server, self._prepare_database = settings, server, prepare_database
        self._interrupts = interrupts
        self._address = Address(settings)
        self._watched_files = WatchedFiles(settings.tasks, ROOT) if reloads else None
        self._is_ready = False
        self._fatal_errors: SimpleQueue[str] = SimpleQueue()
        self._database: Restarter | None = None
        self._processes: list[Restarter] = []
        # Only this process has the writing end, so it closes when this process ends, however it ends.
        self._lifeline, self._lifeline_writer = os.pipe()

    def run(self) -> None:
        """Start everything, and restart what ends, until Interrupt.

        Raises Refused: the service cannot start or go on.
        """
        self._interrupts.check()
        self._check_free()
        print_line("flask-tasks is starting")
        url = self._database_url()
        self._prepare(url)
        self._start_process("the API", "http", url)
        handler = self._start_handler(url)
        self._await_ready(handler.process)
        self._is_ready = True
        print_line(f"ready  {self._address.links()}")
        # The janitor starts last: the service is ready without it, and the others start faster.
        janitor = self._start_process("the janitor", "janitor", url)
        while not janitor.process.ready.is_set():
            self._raise_fatal_error(within=0.02)
        self._print_last_lines()
        self._await_fatal_error(self._reloader(handler, url))

    def stop(self) -> None:
        """End the processes, then PostgreSQL, and wait until they have ended. In a hurry, kill the processes."""
        was_started = self._database or self._processes
        if was_started:
            print_line("stopping")
        for restarter in self._processes:
            restarter.stop()
        deadline = time.monotonic() + self._settings.grace + STOP_MARGIN_SECONDS
        for restarter in self._processes:
            while restarter.is_alive():
                if self._interrupts.hurry or time.monotonic() > deadline:
                    restarter.part.kill()
                restarter.join(0.05)
        if self._database:
            self._database.stop()
        if self._server:
            # An interrupt may have come after its start and before its restarter's.
            self._server.stop()
        if was_started:
            print_line("stopped")

    def _check_free(self) -> None:
        if self._server and (owner := self._server.owner()):
            raise Refused(f"it is already running in this folder, as process {owner}; stop that process first")
        self._address.check()

    def _database_url(self) -> str:
        if self._server is None:
            return self._settings.required_database_url
        try:
            url = self._server.start()
        except (RuntimeError, OSError) as error:
            raise Refused(error) from error
        self._database = Restarter(Database(self._server), self._fatal_errors.put)
        self._database.start()
        return url

    def _prepare(self, url: str) -> None:
        """Prepare the database in a thread: no signal interrupts the waits of a C library. Raises Refused."""
        outcome: SimpleQueue[BaseException | None] = SimpleQueue()

        def prepare() -> None:
            try:
                self._prepare_database(self._settings, url)
                outcome.put(None)
            except BaseException as error:
                outcome.put(error)

        Thread(target=prepare, daemon=True).start()
        while outcome.empty():
            self._raise_fatal_error(within=0.02)
        if error := outcome.get():
            raise error

    def _reloader(self, handler: Running, url: str) -> Reloader | None:
        if self._watched_files is None:
            return None
        print_line("a change of the functions is loaded when their files are saved")
        return Reloader(self._watched_files, handler, lambda: self._start_handler(url))

    def _start_handler(self, url: str) -> Running:
        return self._start_process("the handler", "handler", url, self._report_wrong_functions)

    def _report_wrong_functions(self, sentence: str) -> None:
        """End the service, unless a change of the files may mend the functions."""
        if not (self._watched_files and self._is_ready):
            self._fatal_errors.put(sentence)

    def _start_process(
        self, name: str, module: str, url: str, on_wrong_configuration: Callable[[str], None] | None = None
    ) -> Running:
        # The clients of functions that run as tasks use the API's local URL: the public one may not be reachable here.
        api_url = os.environ.get("FLASK_TASKS_URL") or self._address.local_url
        environment = {
            **os.environ,
            "FLASK_TASKS_URL": api_url,
            "DATABASE_URL": url,
            "DATABASE_URL_FILE": "",
            "METRICS_PORT": metrics_port(module, self._settings),
            # A handler that ends would be started again: here it stays for as long as the service.
            "LINGER": "",
        }
        process = Process(name, module, environment, self._lifeline)
        restarter = Restarter(process, on_wrong_configuration or self._fatal_errors.put)
        self._processes = [*filter(Restarter.is_alive, self._processes), restarter]
        restarter.start()
        return Running(process, restarter)

    def _await_ready(self, handler: Process) -> None:
        next_line_at = time.monotonic() + SLOW_START_SECONDS
        while not (handler.ready.is_set() and self._address.is_ready()):
            self._raise_fatal_error(within=0.02)
            if time.monotonic() > next_line_at:
                print_line(f"still waiting for {'the API' if handler.ready.is_set() else 'the handler'}")
                next_line_at += SLOW_START_SECONDS

    def _print_last_lines(self) -> None:
        """Say where to look, where the functions are, and how to stop."""
        for name, value in {
            "dashboard": self._address.dashboard,
            "functions": ", ".join(self._settings.tasks),
            "stop": "Ctrl-C",
        }.items():
            print_line(f"  {name:<11}{value}")

    def _await_fatal_error(self, reloader: Reloader | None) -> None:
        # In short waits: a signal that comes just before a wait is handled only after it.
        while True:
            self._raise_fatal_error(within=RELOAD_POLL_SECONDS if reloader else 1.0)
            if reloader:
                reloader.look()

    def _raise_fatal_error(self, within: float) -> None:
        self._interrupts.check()
        with suppress(Empty):
            raise Refused(self._fatal_errors.get(timeout=within), CONFIGURATION_EXIT_CODE)


def metrics_port(module: str, settings: Settings) -> str:
    """The METRICS_PORT of a process: the janitor has the port after the handler's. Empty if there is none."""
    if settings.metrics_port is None:
        return ""
    return str(settings.metrics_port + (1 if module == "janitor" else 0))
