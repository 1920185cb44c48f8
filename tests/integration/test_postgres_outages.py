"""Outages: why PostgreSQL is unavailable, in the sentence that the log, the API, its pages and the doctor show."""

from contextlib import closing
from urllib.parse import urlsplit

import psycopg2
import psycopg2.errors
import pytest

from adapters.postgres import Database, Migration
from adapters.postgres.driver_errors import outage_of as outage_of_driver
from application.errors import Outage, StorageUnavailable
from application.outages import FINDINGS, described, finding_of, outage_of
from tests.ports import free_port
from tests.steps import add_one
from tests.storage import in_postgres


def outage_at(url: str) -> Outage:
    """The outage that a client meets who adds a task at this address."""
    with closing(Database(url)) as database, pytest.raises(StorageUnavailable) as raised:
        add_one(in_postgres(database))
    assert finding_of(raised.value) == FINDINGS[outage_of(raised.value)]
    assert described(raised.value).startswith(finding_of(raised.value).found)
    return raised.value.outage


def test_a_read_only_database_is_told_from_one_that_is_away(database: Database, postgres_url: str):
    assert outage_at(f"{postgres_url}?options=-cdefault_transaction_read_only%3Don") is Outage.READ_ONLY


def test_a_server_that_is_not_there_cannot_be_reached():
    assert outage_at(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing") is Outage.UNREACHABLE
    assert outage_at("postgresql://nobody@no-such-host.invalid/nothing") is Outage.UNREACHABLE


def test_a_database_without_free_connections_says_so(database: Database, postgres_url: str):
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DROP ROLE IF EXISTS crowded")
        connection.exec_driver_sql("CREATE ROLE crowded LOGIN PASSWORD 'crowded' CONNECTION LIMIT 0")
    parts = urlsplit(postgres_url)
    assert outage_at(parts._replace(netloc=f"crowded:crowded@{parts.hostname}:{parts.port}").geturl()) is (
        Outage.NO_CONNECTIONS
    )


def test_a_second_client_is_told_why_the_first_one_was_refused():
    with closing(Database(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")) as database:
        for _ in range(2):
            with pytest.raises(StorageUnavailable) as raised:
                Migration(database).check()
            assert outage_of(raised.value) is Outage.UNREACHABLE


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (psycopg2.errors.DiskFull(), Outage.FULL),
        (psycopg2.errors.AdminShutdown(), Outage.STARTING),
        (psycopg2.OperationalError("FATAL:  the database system is starting up"), Outage.STARTING),
        (psycopg2.OperationalError("FATAL:  remaining connection slots are reserved"), Outage.NO_CONNECTIONS),
        (psycopg2.OperationalError("FATAL:  no more connections allowed (max_client_conn)"), Outage.NO_CONNECTIONS),
        (psycopg2.OperationalError("FATAL:  etwas anderes"), Outage.UNKNOWN),
        (None, Outage.UNKNOWN),
    ],
)
def test_other_errors_of_the_driver_have_their_outages(error: Exception | None, outage: Outage):
    assert outage_of_driver(error) is outage
