"""A service of real processes for each module of tests."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters.postgres import Database, Migration
from tests.e2e.service import Service, running_service
from tests.e2e.starts import Start, Started

numbers = count(1)


@pytest.fixture(scope="session")
def new_database(postgres_url: str) -> Callable[[], str]:
    """Create an empty database, or a copy of one. Its URL."""

    def make(template: str = "template1") -> str:
        name = f"e2e_{next(numbers)}"
        with closing(Database(postgres_url)) as server:
            autocommit = server.engine.execution_options(isolation_level="AUTOCOMMIT")
            with autocommit.connect() as connection:
                connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        return f"{postgres_url.rpartition('/')[0]}/{name}"

    return make


@pytest.fixture(scope="session")
def new_migrated_database(new_database: Callable[..., str]) -> Callable[[], str]:
    """Create a database with all tables, so that no process has to migrate it first. Its URL."""
    url = new_database()
    with closing(Database(url)) as database:
        Migration(database)()
    return partial(new_database, url.rpartition("/")[2])


@pytest.fixture
def new_service(new_migrated_database: Callable[[], str], tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Create services that end with the test."""
    services: list[Service] = []

    def make(**variables: str) -> Service:
        services.append(Service(new_migrated_database(), tmp_path, **variables))
        return services[-1]

    yield make
    for service in services:
        service.stop()


@pytest.fixture(scope="module")
def service(new_migrated_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """API, handler and janitor over the functions of tests/e2e/functions.py and those that ship."""
    folder = tmp_path_factory.mktemp("service")
    with running_service(new_migrated_database(), folder, Path(__file__).parent / "functions.py", "slow") as service:
        yield service


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a process by its name and variables, in a folder of its own."""
    all_started: list[Started] = []

    def start(name: str, **variables: str) -> Started:
        all_started.append(Started(name, tmp_path / str(time.monotonic_ns()), variables))
        return all_started[-1]

    yield start
    for each in all_started:
        each.kill()
