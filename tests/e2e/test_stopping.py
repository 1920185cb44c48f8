"""A stop at any moment of a start: every process ends within a second, and says by its status that it was told to."""

import signal
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import psycopg2
import pytest

from adapters.postgres import Database
from adapters.postgres.migrate import LOCK_KEY
from tests.e2e.service import eventually
from tests.e2e.starts import PROCESSES, End, Start

STOPPED = {"migrate": 128 + signal.SIGTERM}
"""Exit status of a process that was told to stop, where it is not 0."""
MOMENTS = [tenths / 10 for tenths in range(21)]
BOOT_SECONDS = 1.0
"""Seconds in which Python may not have come to our code yet: the signal itself ends the process then."""
MAX_STOP_SECONDS, TRIES = 1.0, 3
"""The machine may be busy with other work: one quick end of several is enough."""
POLLERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND (query = 'ROLLBACK' OR query LIKE '%%pg_try_advisory%%')
"""
SLOW_IMPORT = """
import pathlib, time
pathlib.Path({mark!r}).touch()
time.sleep(60)
"""


def best_of(tries: int, stop: Callable[[], End]) -> End:
    """The first quick end, or else the quickest."""
    ends = [stop()]
    while ends[-1].seconds > MAX_STOP_SECONDS and len(ends) < tries:
        ends.append(stop())
    return min(ends, key=lambda end: end.seconds)


def assert_told(end: End, name: str, number: signal.Signals, seconds: float = BOOT_SECONDS) -> None:
    # A migration may have ended by itself meanwhile, and be leaving Python.
    by_itself = [0, -number] if name == "migrate" else []
    by_signal = [-number] if seconds < BOOT_SECONDS else []
    assert end.status in [STOPPED.get(name, 0), *by_itself, *by_signal], (seconds, end)
    assert end.seconds < MAX_STOP_SECONDS, (seconds, end)
    assert "Traceback" not in end.output


@pytest.fixture(scope="module")
def url(new_migrated_database: Callable[[], str]) -> str:
    """The URL of a migrated database."""
    return new_migrated_database()


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_that_is_told_to_stop_while_it_starts_ends_within_a_second(name: str, url: str, start: Start):
    variables = {} if name == "up" else {"DATABASE_URL": url}

    def stop_after(seconds: float, number: signal.Signals) -> End:
        started = start(name, **variables)
        time.sleep(seconds)
        return started.stopped_by(number)

    def stop_at(index: int) -> tuple[End, signal.Signals]:
        # Python itself prints a traceback for Ctrl-C before it has come to our code.
        number = signal.SIGINT if index % 2 and MOMENTS[index] >= BOOT_SECONDS else signal.SIGTERM
        return best_of(TRIES, partial(stop_after, MOMENTS[index], number)), number

    with ThreadPoolExecutor(4) as pool:
        for (end, number), seconds in zip(pool.map(stop_at, range(len(MOMENTS))), MOMENTS, strict=True):
            assert_told(end, name, number, seconds)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_api_that_is_told_to_stop_while_its_worker_loads_ends_within_a_second(
    number: signal.Signals, url: str, start: Start
):
    def stop() -> End:
        started = start("http", DATABASE_URL=url, HTTP_WORKERS="2")
        eventually(lambda: len(children(started.process.pid)) == 2)
        return started.stopped_by(number)

    assert_told(best_of(TRIES, stop), "http", number)


def test_a_handler_that_is_told_to_stop_while_it_imports_functions_ends_within_a_second(
    url: str, start: Start, tmp_path: Path
):
    def stop() -> End:
        mark, tasks = tmp_path / "mark", tmp_path / "slow.py"
        mark.unlink(missing_ok=True)
        tasks.write_text(SLOW_IMPORT.format(mark=str(mark)))
        started = start("handler", DATABASE_URL=url, TASKS=str(tasks))
        eventually(mark.exists)
        return started.stopped_by(signal.SIGTERM)

    assert_told(best_of(TRIES, stop), "handler", signal.SIGTERM)


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_that_is_told_to_stop_while_its_database_hangs_ends_within_a_second(name: str, start: Start):
    def stop() -> End:
        with socket.create_server(("127.0.0.1", 0)) as hanging:
            url = f"postgresql://somebody@127.0.0.1:{hanging.getsockname()[1]}/x"
            started = start(name, DATABASE_URL=url)
            connection, _ = hanging.accept()
            with connection:
                return started.stopped_by(signal.SIGTERM)

    assert_told(best_of(TRIES, stop), name, signal.SIGTERM)


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_that_is_told_to_stop_while_another_one_migrates_ends_within_a_second(
    name: str, new_database: Callable[[], str], start: Start
):
    url = new_database()
    with closing(psycopg2.connect(url)) as migrating:
        migrating.cursor().execute("SELECT pg_advisory_xact_lock(%s)", (LOCK_KEY,))

        def stop() -> End:
            started = start(name, DATABASE_URL=url)
            with closing(Database(url)) as other:
                eventually(lambda: polls_for_the_lock(other))
            return started.stopped_by(signal.SIGTERM)

        assert_told(best_of(TRIES, stop), name, signal.SIGTERM)


def test_an_api_that_is_told_to_stop_while_it_waits_for_its_port_ends_within_a_second(url: str, start: Start):
    def stop() -> End:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            started = start("http", DATABASE_URL=url, PORT=port)
            time.sleep(1)
            return started.stopped_by(signal.SIGTERM)

    assert_told(best_of(TRIES, stop), "http", signal.SIGTERM)


def test_up_ends_at_once_when_its_functions_cannot_be_imported(url: str, start: Start, tmp_path: Path):
    """However long the grace is: the API has not begun to serve when it is told to stop."""
    broken = tmp_path / "broken.py"
    broken.write_text("def f(:\n")

    def fail() -> End:
        started = start("up", DATABASE_URL=url, TASKS=str(broken))
        assert started.process.stdout
        lines: list[str] = []
        while "broken" not in "".join(lines):
            lines.append(started.process.stdout.readline())
        said_at = time.monotonic()
        rest, _ = started.process.communicate(timeout=90)
        return End(started.process.returncode, time.monotonic() - said_at, "".join(lines) + rest)

    end = best_of(TRIES, fail)
    assert (end.status, end.seconds < MAX_STOP_SECONDS) == (2, True), end
    assert "Traceback" not in end.output


def children(pid: int) -> Sequence[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def polls_for_the_lock(database: Database) -> bool:
    with database.engine.connect() as connection:
        return bool(connection.exec_driver_sql(POLLERS).scalar())


def test_a_handler_that_has_nothing_to_do_ends_by_itself(url: str, start: Start):
    end = start("handler", DATABASE_URL=url, LINGER="1", LEASE="3").end()
    assert end.status == 0
    assert "stopping: running tasks may finish" in end.output
