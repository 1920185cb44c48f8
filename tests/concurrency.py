"""Helpers for tests of concurrent connections to a real server."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from adapters.postgres import Database, PostgresStore
from domain.ids import TaskId
from tests.chaos.proxies import Proxy

T = TypeVar("T")

WAITERS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


def until(condition: Callable[[], T | None], seconds: float = 30) -> T:
    """Call the condition until it is true. Its first true answer.

    Raises AssertionError: there was none within the seconds.
    """
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, "the condition did not become true"
        time.sleep(0.002)
    return answer


def until_waiting(database: Database, connections: int = 1) -> None:
    """Wait until that many connections wait for a lock."""
    until(lambda: asked(database, WAITERS) == [(connections,)])


def asked(database: Database, question: str) -> list[tuple[Any, ...]]:
    """The rows of a query in a transaction of its own, which sees what other connections have done by now."""
    with database.engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(question)]


def with_settings(url: str, **settings: object) -> str:
    """The URL with settings of the server for every connection that is made by it."""
    return f"{url}?options=" + quote(" ".join(f"-c {name}={value}" for name, value in settings.items()))


def behind(proxy: Proxy, url: str) -> str:
    """The URL by which its database is reached through the proxy."""
    address = urlsplit(url)
    login = address.netloc.rpartition("@")[0]
    return address._replace(netloc=f"{login}@127.0.0.1:{proxy.port}").geturl()


@contextmanager
def new_database(url: str, name: str, options: str = "") -> Iterator[str]:
    """The URL of an empty database on the same server, which exists during the block."""
    server = Database(url)
    with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} {options}")
        yield url.rpartition("/")[0] + f"/{name}"
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.close()


def transactions(number: int, database: Database) -> None:
    """Have this number of transactions open at once."""
    with ExitStack() as stack:
        for _ in range(number):
            assert stack.enter_context(PostgresStore(database).begin()).tasks.get(TaskId(1)) is None


def loans(number: int, database: Database) -> None:
    """Have this number of autocommit connections lent at once."""
    with ExitStack() as stack:
        for _ in range(number):
            stack.enter_context(database._autocommit.lend())
