"""What all suites share: one PostgreSQL for the whole run, and a migrated database on it that each test finds empty."""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import text

from adapters.embedded_postgres import EmbeddedPostgres
from adapters.postgres import Database, Migration

os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
# A machine that is busy with something else is no failure.
settings.register_profile("patient", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an empty PostgreSQL: a container's where there is an engine, else the embedded one's."""
    server = _container() or EmbeddedPostgres(tmp_path_factory.mktemp("postgres") / "data", durable=False)
    with server as running:
        yield running if isinstance(running, str) else running.get_connection_url(driver=None)


def _container():
    """A postgres:17 that is ready to be started; None, with a warning that says why, where containers do not work."""
    if os.environ.get("TEST_POSTGRES") == "embedded":
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from docker import from_env
        from docker.errors import DockerException
        from testcontainers.community.postgres import PostgresContainer
    try:
        from_env().ping()
        return PostgresContainer("postgres:17")
    except DockerException:
        return None


@pytest.fixture(scope="session")
def migrated_database(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    Migration(database)()
    yield database
    database.close()


@pytest.fixture
def database(migrated_database: Database) -> Database:
    """The database, empty, with ids that start at 1."""
    with migrated_database.engine.begin() as connection:
        connection.execute(text("TRUNCATE tasks, attempts, task_types, handlers RESTART IDENTITY"))
    return migrated_database


ROOT = Path(__file__).parent.parent
