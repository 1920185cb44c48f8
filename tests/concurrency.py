"""A real server at work for several at once, and how a test knows that one of them waits for another."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote

from adapters.postgres import Database

T = TypeVar("T")

WAITERS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


def until(condition: Callable[[], T], seconds: float = 20) -> T:
    """The first true answer. AssertionError where none comes in that time."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.002)
    return answer


def until_waiting(database: Database, connections: int = 1) -> None:
    """Return when that many connections wait for a lock."""
    until(lambda: asked(database, WAITERS) == [(connections,)])


def asked(database: Database, question: str) -> list[tuple[Any, ...]]:
    """The rows of the answer, from a transaction of its own: within one, what others do stands still."""
    with database.engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(question)]


def with_settings(url: str, **settings: object) -> str:
    """The address, with settings of the server's for every connection that is made by it."""
    return f"{url}?options=" + quote(" ".join(f"-c {name}={value}" for name, value in settings.items()))


@contextmanager
def new_database(url: str, name: str) -> Iterator[str]:
    """The address of an empty database on the same server, there as long as it is needed."""
    server = Database(url)
    with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
        yield url.rpartition("/")[0] + f"/{name}"
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.close()
