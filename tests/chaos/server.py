"""The PostgreSQL of an experiment, which can be stopped in every way, and started again with its data."""

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
from tests.chaos import change_log

TERMINATE_BACKENDS = """
SELECT pg_terminate_backend(pid) FROM (
    SELECT pid FROM pg_stat_activity WHERE application_name ~ '^(api|handler|janitor)' ORDER BY random() LIMIT %s
) chosen
"""

LOCK_RUNNING_TASKS = (
    "SELECT FROM tasks WHERE id IN (SELECT id FROM tasks WHERE status = 'running' LIMIT %s) FOR UPDATE SKIP LOCKED"
)

MOTIONLESS = {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}


class Server:
    """The server. It is not durable: experiments kill processes, never the machine."""

    def __init__(self, data: Path) -> None:
        self._postgres = EmbeddedPostgres(data, durable=False)
        self.url = self._postgres.start()

    @property
    def port(self) -> int:
        """The port of the server, the same at every start."""
        return urlsplit(self.url).port or 5432

    def prepare(self) -> None:
        """Create the tables and the change log."""
        database = Database(self.url)
        Migration(database)()
        database.close()
        with self.connection() as connection:
            change_log.install(connection)

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """A direct connection of the experiment's own."""
        connection = psycopg2.connect(self.url, application_name="observer")
        try:
            yield connection
        finally:
            connection.close()

    def ids(self) -> set[int]:
        """The ids of all tasks in the database."""
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT id FROM tasks")
            return {id for (id,) in cursor}

    def count(self, *statuses: str) -> int:
        """The number of tasks with these statuses."""
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM tasks WHERE status = ANY (%s)", [list(statuses)])
            [(number,)] = cursor.fetchall()
            return int(number)

    def terminate_backends(self, number: int) -> None:
        """End some of the service's connections on the server."""
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute(TERMINATE_BACKENDS, [number])

    def hold_rows(self, number: int) -> Callable[[], None]:
        """Lock the rows of running tasks, as a process of the service does. The function that releases them."""
        database = Database(self.url, application_name="api")
        connection = database.connect()
        connection.cursor().execute(LOCK_RUNNING_TASKS, [number])

        def release() -> None:
            connection.close()
            database.close()

        return release

    def end(self, how: signal.Signals) -> None:
        """End the server: SIGINT is the fast shutdown, SIGQUIT the immediate one, SIGKILL a crash."""
        if pid := self._postgres.pid:
            os.kill(pid, how)
            self._postgres.wait()

    def start(self) -> None:
        """Start the ended server at its old address."""
        self._postgres.start()

    def freeze(self) -> None:
        """SIGSTOP all its processes, and those that are just being created: to them the others would look dead."""
        while moving := [each for each in self._processes() if _status(each) not in MOTIONLESS]:
            _signal(moving, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT all its processes."""
        _signal(self._processes(), signal.SIGCONT)

    def close(self) -> None:
        """Stop the server for good."""
        self._postgres.stop()

    def _processes(self) -> Sequence[psutil.Process]:
        """The processes of the server; the first is the parent of the others."""
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
