"""The PostgreSQL of an experiment, which can be stopped in every way, and started again with its data."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg2

from adapters.embedded_postgres import EmbeddedPostgres
from adapters.postgres import Database, Migration
from domain.instants import NEVER
from tests.chaos import change_log, standby
from tests.chaos.change_log import LogEntry
from tests.chaos.clock import HostClock
from tests.chaos.patience import PatientCursor
from tests.chaos.standby import Standby

MAX_CONNECTIONS = 100
MAX_TRIES = 10
SETTINGS = {"max_connections": MAX_CONNECTIONS, "max_wal_size": "128MB", "min_wal_size": "32MB"}
OWN_SETTINGS = " ".join(
    f"-c {name}={value}"
    for name, value in {
        "default_transaction_read_only": "off",
        "statement_timeout": 0,
        "lock_timeout": 0,
        "idle_in_transaction_session_timeout": 0,
        "idle_session_timeout": 0,
    }.items()
)
"""Options of the experiment's own sessions, which obey no fault that sets a default."""

TERMINATE_BACKENDS = """
SELECT pg_terminate_backend(pid) FROM (
    SELECT pid FROM pg_stat_activity WHERE application_name ~ '^(api|handler|janitor)' ORDER BY random() LIMIT %s
) chosen
"""

LOCK_RUNNING_TASKS = (
    "SELECT FROM tasks WHERE id IN (SELECT id FROM tasks WHERE status = 'running' LIMIT %s) FOR UPDATE SKIP LOCKED"
)

COUNT_UNFINISHED = """
SELECT count(*) FROM tasks t
WHERE status IN ('waiting', 'running') AND run_at < clock_timestamp() + interval '30 seconds'
AND NOT EXISTS (SELECT FROM chaos_changes c WHERE c.task = t.id AND c.author = 'administrator')
"""

COUNT_BLOCKED = f"SELECT count(*) FROM tasks WHERE status = 'waiting' AND run_at = '{NEVER.isoformat()}'"

STUCK = f"""
SELECT t.id FROM tasks t
WHERE t.status = 'waiting' AND t.run_at = '{NEVER.isoformat()}' AND (
    EXISTS (
        SELECT FROM dependencies d LEFT JOIN tasks p ON p.id = d.parent
        WHERE d.dependent = t.id AND t.if_parent_failed = 'fail'
            AND coalesce(p.status, 'failed') IN ('failed', 'cancelled')
    ) OR NOT EXISTS (
        SELECT FROM dependencies d JOIN tasks p ON p.id = d.parent
        WHERE d.dependent = t.id AND p.status IN ('waiting', 'running')
    ) AND NOT EXISTS (
        SELECT FROM batches b WHERE b.then_task = t.id AND b.finished IS NULL AND (
            b.is_open OR EXISTS (SELECT FROM tasks m WHERE m.batch = b.id AND m.status IN ('waiting', 'running'))
        )
    )
)
"""
UNFINISHED_BATCHES = """
SELECT b.id FROM batches b
WHERE b.finished IS NULL AND NOT b.is_open
    AND NOT EXISTS (SELECT FROM tasks m WHERE m.batch = b.id AND m.status IN ('waiting', 'running'))
"""
"""What waits though nothing is left to wait for, whatever has happened to it before."""

COUNT_PENDING_DELIVERIES = """
SELECT count(*) FROM (SELECT state, attempts FROM deliveries UNION ALL SELECT state, attempts FROM batch_deliveries) d
WHERE state = 'pending' AND attempts < 12
"""

HURRY_DELIVERIES = """
UPDATE deliveries SET due = least(finished, clock_timestamp()) WHERE state = 'pending' AND due > clock_timestamp();
UPDATE batch_deliveries SET due = least(finished, clock_timestamp())
WHERE state = 'pending' AND due > clock_timestamp()
"""

HURRY_TICKS = """
UPDATE schedules s SET next = clock_timestamp()
WHERE next > clock_timestamp() + interval '2 seconds'
AND NOT EXISTS (SELECT FROM tasks t WHERE t.type = s.type AND t.run_at >= clock_timestamp())
"""
"""After the clock was set back it leaves the schedule alone: ticks that have come before would come again."""

SETTINGS_OF_FAULTS = (
    "ALTER SYSTEM RESET ALL",
    "ALTER DATABASE postgres RESET ALL",
    "ALTER ROLE postgres RESET ALL",
    "SELECT pg_reload_conf()",
)
REUSE_IDS = """
LOCK TABLE tasks IN EXCLUSIVE MODE;
SELECT setval(pg_get_serial_sequence('tasks', 'id'), greatest(
    (SELECT max(id) FROM tasks), (SELECT max(task) FROM chaos_changes), 1
))
"""
"""A sequence is up to 32 numbers ahead after a crash; without that the lost ids are used again at once."""

MOTIONLESS = {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}


class Server:
    """The server. It is not durable: experiments kill processes, never the machine.

    - `can_set_clock`: start it so that its clock can be set.
    - `lost_entries`: the entries of the change log that were lost with a primary.
    """

    def __init__(self, data: Path, *, can_set_clock: bool = False) -> None:
        self._data = data
        data.mkdir(mode=0o700, exist_ok=True)
        self.clock = HostClock(data.with_name("clock"), is_real=not can_set_clock)
        self._postgres = EmbeddedPostgres(data, durable=False, settings=SETTINGS)
        self.lost_entries: list[LogEntry] = []
        self.start()

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
            change_log.install(connection, self.clock.file.absolute())

    @contextmanager
    def connection(self, author: str = "observer") -> Iterator[Any]:
        """A direct connection of the experiment's own."""
        with closing(self.session(author)) as connection:
            yield connection

    def session(self, author: str = "observer") -> Any:
        """A session of the experiment's own, which its user has to close."""
        return open_session(self.url, author)

    def execute(self, *statements: str, author: str = "observer") -> None:
        """Execute statements, each in a transaction of its own."""
        with self.connection(author) as connection:
            connection.autocommit = True
            for statement in statements:
                with connection.cursor() as cursor:
                    cursor.execute(statement)

    def _insist(self, *statements: str) -> None:
        """Execute statements that may be repeated, again and again while a lock or the load is in their way."""
        for tries_left in reversed(range(MAX_TRIES)):
            try:
                self.execute(*statements)
                break
            except psycopg2.Error:
                if not tries_left:
                    raise

    def ids(self) -> set[int]:
        """The ids of all tasks in the database."""
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT id FROM tasks")
            return {id for (id,) in cursor}

    def count_unfinished(self) -> int:
        """The number of tasks that run or will soon be due, without those that an administrator wrote."""
        return self._count(COUNT_UNFINISHED)

    def count_blocked(self) -> int:
        """The number of tasks that wait for others."""
        return self._count(COUNT_BLOCKED)

    def stuck(self) -> Sequence[str]:
        """A sentence for each task and batch that waits for nothing that may still come."""
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute(STUCK)
            tasks = [f"task {id} waits in the end, though its parents or its batch let it go on" for (id,) in cursor]
            cursor.execute(UNFINISHED_BATCHES)
            return [*tasks, *(f"batch {id} has not finished in the end, though its tasks have" for (id,) in cursor)]

    def count_pending_deliveries(self) -> int:
        """The number of callbacks that are still to be called."""
        return self._count(COUNT_PENDING_DELIVERIES)

    def _count(self, statement: str) -> int:
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute(statement)
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
        connection.cursor(cursor_factory=PatientCursor).execute(LOCK_RUNNING_TASKS, [number])

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
        """Start the ended server at its old address; nothing if it runs."""
        with self.clock.in_force():
            self.url = self._postgres.start()

    def take_standby(self) -> Standby:
        """Copy the cluster as it is now."""
        with self.connection() as connection:
            return standby.take(connection, self._data / "cluster", self._data / "standby")

    def fail_over(self, to: Standby) -> None:
        """End the primary by a crash, and let the standby take its address. The settings of faults are reset."""
        lost = self._data / "lost"
        self.end(signal.SIGKILL)
        shutil.rmtree(lost, ignore_errors=True)
        lost.mkdir()
        (self._data / "cluster").rename(lost / "cluster")
        to.folder.rename(self._data / "cluster")
        self.start()
        self._insist(*SETTINGS_OF_FAULTS, REUSE_IDS)
        self.lost_entries += self._only_in(lost, to.position)
        shutil.rmtree(lost)

    def _only_in(self, lost: Path, position: int) -> list[LogEntry]:
        """The entries after that position that are in the cluster of that folder alone."""
        # Timeouts of roles, as faults set them, are in that cluster too.
        with EmbeddedPostgres(lost, durable=False) as url, closing(open_session(url)) as connection:
            entries = list(change_log.read(connection, position))
        with self.connection() as connection:
            found = {each.position: each.change.moment for each in change_log.read(connection, position)}
        return [each for each in entries if found.get(each.position) != each.change.moment]

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


def open_session(url: str, author: str = "observer") -> Any:
    """A session with settings of its own, on which no fault has an influence."""
    return psycopg2.connect(
        url, application_name=author, options=OWN_SETTINGS, connect_timeout=5, cursor_factory=PatientCursor
    )


def _signal(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _status(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess):
        return str(process.status())
    return str(psutil.STATUS_ZOMBIE)
