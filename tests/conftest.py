"""Fixtures of all suites: one PostgreSQL for the whole run, and a migrated database that each test finds empty."""

import gc
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, settings

from adapters.embedded_postgres import EmbeddedPostgres
from adapters.postgres import Database, Migration
from entrypoints.repeat_filter import RepeatFilter
from tests.chaos.proxies import Proxies
from tests.emptying import empty

os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
# A machine that is busy with something else is no failure.
settings.register_profile("patient", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_collection_finish() -> None:
    """Collect garbage more rarely, and never look at the modules and tests: a quarter of the time of unit tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an empty PostgreSQL: a container's where there is an engine, else the embedded one's."""
    container = started_container()
    if container:
        with closing(container):
            yield container.url
    else:
        with EmbeddedPostgres(tmp_path_factory.mktemp("postgres") / "data", durable=False) as url:
            yield url


class Container:
    """A postgres:17 that runs."""

    def __init__(self) -> None:
        from testcontainers.community.postgres import PostgresContainer

        self._container = PostgresContainer("postgres:17").start()
        self.url: str = self._container.get_connection_url(driver=None)

    def close(self) -> None:
        self._container.stop()


def started_container() -> Container | None:
    """None where there is no engine, it may not be used, or the container does not start; it says so."""
    if os.environ.get("TEST_POSTGRES") == "embedded":
        return None
    # Importing and failing clients warn of what is theirs, and leave sockets to the collector.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from docker import from_env

            with closing(from_env()) as engine:
                engine.ping()
            return Container()
        except Exception as error:
            sys.stderr.write(f"\nPostgreSQL is the embedded one: {type(error).__name__}: {error}\n")
            return None
        finally:
            gc.collect()


@pytest.fixture(scope="session")
def migrated_database(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    Migration(database)()
    yield database
    database.close()


@pytest.fixture
def database(migrated_database: Database) -> Database:
    """The database, empty, with ids that start at 1."""
    empty(migrated_database)
    return migrated_database


@pytest.fixture
def proxies(postgres_url: str) -> Iterator[Proxies]:
    """Proxies of the server, each a line of its own."""
    address = urlsplit(postgres_url)
    proxies = Proxies(address.port or 5432, address.hostname or "127.0.0.1")
    yield proxies
    proxies.close()


@pytest.fixture
def process_log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The log as a process shows it, without repetitions of what is logged once."""
    repeats = RepeatFilter()
    caplog.handler.addFilter(repeats)
    yield caplog
    caplog.handler.removeFilter(repeats)


ROOT = Path(__file__).parent.parent
