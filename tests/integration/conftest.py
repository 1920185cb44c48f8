"""Fixtures of the suites of one adapter."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.postgres import Database
from application.ports.unit_of_work import Begin
from tests.administrator import Administrator
from tests.concurrency import new_database, with_settings
from tests.executor_driver import USER_FUNCTIONS, Driver, processes
from tests.storage import Storage, in_postgres


@pytest.fixture
def storage(database: Database, postgres_url: str) -> Iterator[Storage]:
    """The emptied database. A wait for a lock that should not be ends the test after five seconds."""
    impatient = Database(with_settings(postgres_url, lock_timeout="5s"))
    yield in_postgres(impatient)
    impatient.close()


@pytest.fixture
def begin(storage: Storage) -> Begin:
    """The units of work of the storage."""
    return storage.begin


@pytest.fixture
def administrator(database: Database) -> Iterator[Administrator]:
    administrator = Administrator(database)
    yield administrator
    administrator.leave()


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    """Threads for what waits, or goes on beside the test."""
    with ThreadPoolExecutor(16) as threads:
        yield threads


@pytest.fixture
def empty_url(postgres_url: str) -> Iterator[str]:
    """The address of a database of its own, without any tables."""
    with new_database(postgres_url, "empty") as url:
        yield url


# Executors over processes


@pytest.fixture(scope="module")
def functions() -> str:
    """The file with the functions that the executors run. A suite with functions of its own has its own fixture."""
    return USER_FUNCTIONS


@pytest.fixture(scope="module")
def concurrency() -> int:
    """The children of the executor that the tests of a suite share."""
    return 2


@pytest.fixture(scope="module")
def shared(functions: str, concurrency: int) -> Iterator[Driver]:
    with processes(functions) as open:
        yield open(concurrency=concurrency)


@pytest.fixture
def driver(shared: Driver) -> Driver:
    """An executor whose children are free, and have run what other tests asked for."""
    shared.all_free()
    return shared


@pytest.fixture
def opened(functions: str) -> Iterator[Callable[..., Driver]]:
    """Executors of a test's own."""
    with processes(functions) as open:
        yield open


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A type that has run counts as short, on a busy machine too: runs may stand behind it."""
    monkeypatch.setattr("adapters.executors.process.pool.run_queue.QUEUE_SECONDS", 1e6)


@pytest.fixture
def unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs stay behind one that turns out long."""
    monkeypatch.setattr("adapters.executors.process.pool.stall_watch.STALL_SECONDS", 60)


@pytest.fixture
def paired(unwatched: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """One run may stand behind another one of a type that has run, however long the two take."""
    monkeypatch.setattr("adapters.executors.process.pool.run_queue.QUEUE_SECONDS", 0)
    monkeypatch.setattr("adapters.executors.process.pool.run_queue.SHORT_RUN_SECONDS", 1e6)
