"""The address of a database is libpq's: whatever psql takes, the service takes."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg2
import pytest
from psycopg2 import sql

from adapters.postgres import Database
from tests.concurrency import asked

PASSWORD = "p@ss:w/rd %41 'ü' \\ ?&#"
ENCODED = "p%40ss%3Aw%2Frd%20%2541%20%27%C3%BC%27%20%5C%20%3F%26%23"


@pytest.fixture
def somebody(database: Database) -> Iterator[str]:
    """A role with a password that needs encoding, and what stands before the @ of its addresses."""
    with database.engine.begin() as connection:
        cursor = connection.connection.cursor()
        cursor.execute(sql.SQL("CREATE ROLE somebody LOGIN PASSWORD {}").format(sql.Literal(PASSWORD)))
    yield f"somebody:{ENCODED}"
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DROP ROLE somebody")


def answer(url: str, question: str) -> object:
    """The only value that the database of this address answers with."""
    database = Database(url)
    ((value,),) = asked(database, question)
    database.close()
    return value


def test_both_schemes_work(postgres_url: str):
    _, _, rest = postgres_url.partition("://")
    assert answer(f"postgres://{rest}", "SELECT 1") == answer(f"postgresql://{rest}", "SELECT 1") == 1


def test_a_password_may_be_percent_encoded(postgres_url: str, somebody: str):
    parts = urlsplit(postgres_url)
    url = f"postgresql://{somebody}@{parts.hostname}:{parts.port}{parts.path}"
    assert answer(url, "SELECT current_user") == "somebody"


def test_the_first_of_several_hosts_that_answers_is_taken(postgres_url: str):
    parts = urlsplit(postgres_url)
    login = parts.netloc.rpartition("@")[0]
    url = f"postgresql://{login}@127.0.0.1:1,{parts.hostname}:{parts.port}{parts.path}?target_session_attrs=read-write"
    assert answer(url, "SELECT 1") == 1


def test_parameters_of_libpq_are_passed_on(postgres_url: str):
    url = f"{postgres_url}?sslmode=disable&application_name=x&options=-c%20work_mem%3D5MB"
    assert answer(url, "SHOW application_name") == "x"
    assert answer(url, "SHOW work_mem") == "5MB"
    assert answer(url, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") is False


def test_a_connection_has_the_name_of_the_service_unless_the_address_has_one(postgres_url: str):
    assert answer(postgres_url, "SHOW application_name") == "flask-tasks"


def test_no_connection_spends_time_on_compiling_plans(postgres_url: str):
    assert answer(postgres_url, "SHOW jit") == "off"


def test_a_host_that_vanishes_in_a_transaction_does_not_keep_its_locks(postgres_url: str):
    assert answer(postgres_url, "SHOW idle_in_transaction_session_timeout") == "10s"
    assert answer(postgres_url, "SHOW tcp_user_timeout") == "20000"
    assert answer(postgres_url, "SHOW tcp_keepalives_idle") == "10"


@pytest.mark.parametrize(("query", "seconds"), [("", "5"), ("?connect_timeout=9", "9")])
def test_the_connect_timeout_is_the_services_unless_the_address_has_one(postgres_url: str, query: str, seconds: str):
    database = Database(postgres_url + query)
    connection: psycopg2.extensions.connection = database.connect()
    assert connection.get_dsn_parameters()["connect_timeout"] == seconds
    connection.close()


def test_an_address_that_libpq_cannot_read_is_refused_every_time_for_that_reason():
    database = Database("postgresql://localhost/x?nonsense=1")
    for _ in range(2):
        with pytest.raises(psycopg2.ProgrammingError, match="nonsense"):
            database.connect()
