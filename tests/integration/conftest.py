"""Fixtures of the suites of one adapter."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.postgres import Database
from application.ports.unit_of_work import Begin
from tests.concurrency import new_database, with_settings
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
def background() -> Iterator[ThreadPoolExecutor]:
    """Threads for what waits, or goes on beside the test."""
    with ThreadPoolExecutor(16) as threads:
        yield threads


@pytest.fixture
def empty_url(postgres_url: str) -> Iterator[str]:
    """The address of a database of its own, without any tables."""
    with new_database(postgres_url, "empty") as url:
        yield url


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A type that has run counts as short, on a busy machine too: runs may stand behind it."""
    monkeypatch.setattr("adapters.executors.process.pool.run_queue.QUEUE_SECONDS", 1e6)
