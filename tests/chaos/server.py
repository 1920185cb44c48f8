"""The PostgreSQL of a trial, which can be stopped in every way that a server can, and starts again on its data."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg2

from adapters.embedded_postgres import EmbeddedPostgres
from adapters.postgres import Database, Migration
from tests.chaos import ledger

TERMINATE = """
SELECT pg_terminate_backend(pid) FROM (
    SELECT pid FROM pg_stat_activity WHERE application_name ~ '^(api|handler|janitor)' ORDER BY random() LIMIT %s
) chosen
"""

HOLD = "SELECT FROM tasks WHERE id IN (SELECT id FROM tasks WHERE status = 'running' LIMIT %s) FOR UPDATE SKIP LOCKED"

STILL = {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}


class Server:
    """Processes are killed here, never the machine: that what was written reaches the disk need not be waited for."""

    def __init__(self, data: Path) -> None:
        self._postgres = EmbeddedPostgres(data, durable=False)
        self.url = self._postgres.start()

    @property
    def port(self) -> int:
        """The same at every start."""
        return urlsplit(self.url).port or 5432

    def prepare(self) -> None:
        """Make the tables, and record what happens to them."""
        database = Database(self.url)
        Migration(database)()
        database.close()
        with self.connection() as connection:
            ledger.install(connection)

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """One of our own, straight to it."""
        connection = psycopg2.connect(self.url, application_name="observer")
        try:
            yield connection
        finally:
            connection.close()

    def ids(self) -> set[int]:
        """The tasks that are there."""
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT id FROM tasks")
            return {id for (id,) in cursor}

    def count(self, *statuses: str) -> int:
        """How many tasks stand there."""
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM tasks WHERE status = ANY (%s)", [list(statuses)])
            [(number,)] = cursor.fetchall()
            return int(number)

    def terminate_backends(self, number: int) -> None:
        """End some connections from the side of the server."""
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute(TERMINATE, [number])

    def hold_rows(self, number: int) -> Callable[[], None]:
        """Lock running tasks as a process of the service would, and stand still; what is answered lets them go."""
        database = Database(self.url, application_name="api")
        connection = database.connect()
        connection.cursor().execute(HOLD, [number])

        def let_go() -> None:
            connection.close()
            database.close()

        return let_go

    def end(self, how: signal.Signals) -> None:
        """SIGINT is the fast shutdown, SIGQUIT the immediate one, SIGKILL none at all."""
        if pid := self._postgres.pid:
            os.kill(pid, how)
            self._postgres.wait()

    def start(self) -> None:
        """Before: ended. After: it takes connections at the old address."""
        self._postgres.start()

    def freeze(self) -> None:
        """Stop all its processes where they are, and whoever was just being born: the others would look dead to it."""
        while moving := [each for each in self._processes() if _status(each) not in STILL]:
            _signal(moving, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        _signal(self._processes(), signal.SIGCONT)

    def close(self) -> None:
        """End it for good."""
        self._postgres.stop()

    def _processes(self) -> Sequence[psutil.Process]:
        """The first is the parent of the others."""
        with suppress(psutil.NoSuchProcess):
            if pid := self._postgres.pid:
                postmaster = psutil.Process(pid)
                return [postmaster, *postmaster.children(recursive=True)]
        return []


def _signal(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _status(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess):
        return str(process.status())
    return str(psutil.STATUS_ZOMBIE)
