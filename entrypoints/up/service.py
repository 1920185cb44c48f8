"""The whole service on one machine: in which order it starts, and in which it ends."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

from entrypoints.settings import Settings
from entrypoints.up.address import Address
from entrypoints.up.errors import Refused
from entrypoints.up.interrupts import Interrupts
from entrypoints.up.process import CONFIGURATION_EXIT_CODE, Process
from entrypoints.up.restarter import Restarter
from entrypoints.up.server import Database, Server
from entrypoints.up.terminal import say

STOP_MARGIN_SECONDS = 10.0
"""Seconds beyond the grace that a process may take to end."""
SLOW_START_SECONDS = 15.0


class Service:
    """PostgreSQL where it is ours, then the API, the handler and the janitor."""

    def __init__(self, settings: Settings, server: Server | None, prepare: Callable[[Settings, str], None]) -> None:
        self._settings, self._server, self._prepare = settings, server, prepare
        self._address = Address(settings)
        self._trouble: SimpleQueue[str] = SimpleQueue()
        self._database: Restarter | None = None
        self._processes: list[Restarter] = []
        # Its writing end closes with us, however we end, and nobody else has it.
        self._lifeline, self._held = os.pipe()

    def run(self) -> None:
        """Start everything, and watch over it until KeyboardInterrupt. Refused where it cannot go on."""
        self._check()
        say("flask-tasks is starting …")
        url = self._database_url()
        self._prepare(self._settings, url)
        self._keep("the API", "http", url)
        handler = self._keep("the handler", "handler", url)
        self._await_ready(handler)
        say(f"ready  {self._address.links()}")
        # Last, for it is not needed to be ready, and the others have the machine to themselves.
        self._keep("the janitor", "janitor", url)
        self._watch()

    def stop(self, interrupts: Interrupts) -> None:
        """End the processes, then PostgreSQL; wait until they have ended, in a hurry not for long."""
        started = self._database or self._processes
        if started:
            say("stopping …")
        for keep in self._processes:
            keep.stop()
        deadline = time.monotonic() + self._settings.grace + STOP_MARGIN_SECONDS
        for keep in self._processes:
            while keep.is_alive():
                if interrupts.hurry or time.monotonic() > deadline:
                    keep.part.kill()
                keep.join(0.05)
        if self._database:
            self._database.stop()
        if self._server:
            # Where we were interrupted between its start and its keep.
            self._server.stop()
        if started:
            say("stopped")

    def _check(self) -> None:
        if self._server and (owner := self._server.owner()):
            raise Refused(f"already running here, as process {owner}")
        self._address.check()

    def _database_url(self) -> str:
        if self._server is None:
            return self._settings.required_database_url
        try:
            url = self._server.start()
        except (RuntimeError, OSError) as error:
            raise Refused(error) from error
        self._database = Restarter(Database(self._server), self._trouble.put)
        self._database.start()
        return url

    def _keep(self, name: str, module: str, url: str) -> Process:
        # A function that runs as a task reaches this API, wherever it is for the rest of the world.
        ours = {"FLASK_TASKS_URL": os.environ.get("FLASK_TASKS_URL") or self._address.here, "DATABASE_URL": url}
        process = Process(name, module, {**os.environ, **ours}, self._lifeline)
        self._processes.append(Restarter(process, self._trouble.put))
        self._processes[-1].start()
        return process

    def _await_ready(self, handler: Process) -> None:
        slow = time.monotonic() + SLOW_START_SECONDS
        while not (handler.ready.is_set() and self._address.answers()):
            self._look(0.02)
            if time.monotonic() > slow:
                say(f"still waiting for {'the API' if handler.ready.is_set() else 'the handler'} …")
                slow += SLOW_START_SECONDS

    def _watch(self) -> None:
        # Never for ever at once: a signal that comes just before a wait is handled only after it.
        while True:
            self._look(1.0)

    def _look(self, timeout: float) -> None:
        with suppress(Empty):
            raise Refused(self._trouble.get(timeout=timeout), CONFIGURATION_EXIT_CODE)
