"""A database that cannot be used, however often it is tried, ends the start with one sentence that says what to do."""

import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlsplit

import psutil
import psycopg2
import pytest
import trustme
from psycopg2.errors import DuplicateObject

from adapters.postgres import Database, Migration
from tests.e2e.service import Service, eventually
from tests.e2e.starts import PROCESSES, End, Start

ROLE, PASSWORD = "limited", "limited"
GRANT = f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE}"
MAX_SECONDS = 3.0
"""Seconds after which a start that is broken has given the prompt back, on a machine that is not busy."""


@pytest.fixture
def url(new_database: Callable[[], str]) -> str:
    """The URL of an empty database, in which every role may make tables."""
    return new_database()


def execute(url: str, *statements: str) -> None:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        for statement in statements:
            with suppress(DuplicateObject):
                connection.cursor().execute(statement)


def of_role(url: str, *statements: str, name: str = ROLE, password: str = PASSWORD) -> str:
    """The URL for a role that owns nothing, after the statements."""
    execute(
        url,
        f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        *statements,
    )
    parts = urlsplit(url)
    return parts._replace(netloc=f"{name}:{password}@{parts.hostname}:{parts.port}").geturl()


def migrated(url: str) -> str:
    with closing(Database(url)) as database:
        Migration(database)()
    return url


def with_schema(url: str, *statements: str) -> str:
    execute(url, *statements)
    return url


@contextmanager
def answering(reply: Callable[[socket.socket], object]) -> Iterator[str]:
    """The host and port of a server that answers the first bytes of each connection like this."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client, suppress(OSError):
                        client.recv(1000)
                        reply(client)

        threading.Thread(target=run, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def ruined(url: str, server: str) -> str:
    return url.replace(urlsplit(url).netloc.rpartition("@")[2], server)


CASES: dict[str, tuple[Callable[[str], str], str]] = {
    "a wrong password": (lambda url: of_role(url, password="wrong"), "correct the user or the password"),
    "no password": (lambda url: of_role(url, password=""), "correct the user or the password"),
    "an unknown role": (lambda url: of_role(url, name="stranger"), "correct the user or the password"),
    "a role that may not log in": (
        lambda url: of_role(url, "CREATE ROLE locked PASSWORD 'limited'", name="locked"),
        "ALTER ROLE … LOGIN",
    ),
    "an unknown database": (lambda url: url + "_not", "create the database"),
    "a database that is closed to the role": (
        lambda url: of_role(url, f"REVOKE CONNECT ON DATABASE {url.rpartition('/')[2]} FROM PUBLIC"),
        "GRANT CONNECT ON DATABASE",
    ),
    "an option of another driver": (lambda url: f"{url}?schema=public", 'parameter: "schema": leave it out'),
    "a bogus sslmode": (lambda url: f"{url}?sslmode=bogus", 'invalid sslmode value: "bogus": correct the address'),
    "a wrong number": (lambda url: f"{url}?connect_timeout=soon", "correct the address"),
    "a wrong option of the server": (lambda url: f"{url}?options=-cnonsense%3D1", "correct the address"),
    "ssl that the server lacks": (lambda url: f"{url}?sslmode=require", "choose another sslmode"),
    "a port that is no number": (lambda _: "postgresql://u:p@127.0.0.1:many/x", "DATABASE_URL is 'postgresql://…@127"),
    "a port beyond all ports": (lambda _: "postgresql://u:p@127.0.0.1:99999/x", "correct the address"),
    "a password with a raw slash": (lambda _: "postgresql://u:se/cret@127.0.0.1/x", "%2F for /"),
    "a password with a raw at sign": (lambda _: "postgresql://u:se@cret@127.0.0.1/x", "%40 for @"),
    "a password with a raw percent sign": (lambda _: "postgresql://u:se%cret@127.0.0.1/x", "it must be an address"),
    "another scheme": (lambda _: "mysql://u:secret@127.0.0.1/x", "it must be an address that starts with postgres://"),
    "no schema": (lambda url: f"{url}?options=-csearch_path%3Dnothing", "correct search_path"),
    "a role without CREATE": (lambda url: of_role(url), "permission denied for schema public: GRANT it to the role"),
    "a role without rights on the tables": (
        lambda url: of_role(migrated(url), "GRANT SELECT ON alembic_version, tasks TO limited"),
        "the role may not read and write tasks, api_keys, attempts, batch_count_changes",
    ),
    "a role without rights on any table": (lambda url: of_role(migrated(url)), "SELECT, INSERT, UPDATE and DELETE on"),
    "a table of another program": (
        lambda url: with_schema(url, "CREATE TABLE tasks (id int)"),
        '"tasks" already exists: use a database, or a schema, that holds nothing else',
    ),
    "the alembic_version of another program": (
        lambda url: with_schema(url, "CREATE TABLE alembic_version AS SELECT 'a1b2' AS version_num"),
        "alembic_version of another program",
    ),
}


def assert_refused(end: End, sentence: str) -> None:
    assert end.status == 2, end
    said = [line for line in end.output.splitlines() if line.startswith("flask-tasks: ")]
    assert len(said) == 1, end.output
    assert sentence in said[0]
    assert "Traceback" not in end.output
    assert "secret" not in end.output
    assert "cret" not in end.output.replace("secret", "")


@pytest.mark.parametrize("case", CASES)
def test_a_start_that_cannot_succeed_ends_with_a_sentence(case: str, url: str, start: Start):
    make, sentence = CASES[case]
    assert_refused(start("migrate", DATABASE_URL=make(url)).end(), sentence)


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("case", ["a wrong password", "an option of another driver", "a role without CREATE"])
def test_every_process_ends_with_that_sentence(name: str, case: str, url: str, start: Start):
    make, sentence = CASES[case]
    made = make(url)
    end = start(name, DATABASE_URL=made, HTTP_WORKERS="2").end()
    assert_refused(end, sentence)
    assert "ready" not in end.output
    assert end.seconds < MAX_SECONDS or is_busy(), end


@pytest.mark.parametrize("mode", ["prefer", "disable"])
def test_a_server_that_is_no_postgresql_ends_the_start(mode: str, url: str, start: Start):
    with answering(lambda client: client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        end = start("migrate", DATABASE_URL=f"{ruined(url, server)}?sslmode={mode}").end()
    assert_refused(end, "no PostgreSQL listens there; correct the host or the port")


def test_a_certificate_that_does_not_verify_ends_the_start(url: str, start: Start, tmp_path):
    authority, other = trustme.CA(), trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    other.cert_pem.write_to_path(tmp_path / "root.pem")

    def speak_tls(client: socket.socket) -> None:
        client.sendall(b"S")
        context.wrap_socket(client, server_side=True).close()

    with answering(speak_tls) as server:
        url = f"{ruined(url, server)}?sslmode=verify-full&sslrootcert={tmp_path / 'root.pem'}"
        assert_refused(start("migrate", DATABASE_URL=url).end(), "certificate verify failed")
        missing = start("migrate", DATABASE_URL=url.replace("root.pem", "no.pem")).end()
        assert_refused(missing, "give the address the right sslrootcert")


def test_a_server_that_is_too_old_ends_the_start(url: str, start: Start):
    parts = urlsplit(url)

    def grow_old(client: socket.socket) -> None:
        """Hand on what the server says, with a 0 for the first digit of its version."""
        # Its first message, which was swallowed, asked for ssl: not here.
        client.sendall(b"N")
        with socket.create_connection((parts.hostname, parts.port or 5432)) as real:
            threading.Thread(target=pump, args=(client, real), daemon=True).start()
            pump(real, client, lambda chunk: chunk.replace(b"server_version\x001", b"server_version\x000"))

    with answering(grow_old) as server:
        end = start("migrate", DATABASE_URL=f"{ruined(url, server)}?gssencmode=disable").end()
    assert_refused(end, ": use PostgreSQL 13 or a newer one")


def pump(source: socket.socket, target: socket.socket, change: Callable[[bytes], bytes] = lambda chunk: chunk) -> None:
    with suppress(OSError):
        while chunk := source.recv(100_000):
            target.sendall(change(chunk))
        target.shutdown(socket.SHUT_WR)


PASSING: dict[str, Callable[[str], str]] = {
    "refuses": lambda url: ruined(url, "127.0.0.1:1"),
    "has no name yet": lambda url: ruined(url, "certificate.invalid"),
    "has no more connections": lambda url: of_role(url, f"ALTER ROLE {ROLE} CONNECTION LIMIT 0"),
    "is not there at one host": lambda url: (
        ruined(url, f"127.0.0.1:1,{urlsplit(url).netloc.rpartition('@')[2]}") + "_not"
    ),
}


@pytest.mark.parametrize("case", PASSING)
def test_a_database_that_is_away_is_waited_for(case: str, url: str, start: Start):
    started = start("migrate", DATABASE_URL=PASSING[case](url))
    assert started.process.stdout
    lines = [started.process.stdout.readline() for _ in range(2)]
    assert all("the database is away, trying again in" in line for line in lines), lines
    assert not any("the database was away a moment ago" in line for line in lines), lines
    execute(url, f"CREATE ROLE {ROLE}", f"ALTER ROLE {ROLE} CONNECTION LIMIT -1")


def test_a_password_that_changes_while_processes_run_ends_none_of_them(new_service: Callable[..., Service]):
    service = new_service(HTTP_WORKERS="2")
    admin = service.environment["DATABASE_URL"]
    service.environment["DATABASE_URL"] = of_role(admin, GRANT)
    processes = [service.start(name) for name in ("http", "handler", "janitor")]
    service.await_ready("default")
    execute(
        admin,
        f"ALTER ROLE {ROLE} PASSWORD 'rotated'",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = current_database() AND usename = '{ROLE}'",
    )
    eventually(lambda: service.status("/health/ready") == 503)
    (worker, *_) = workers(processes[0].pid)
    kill(worker)
    eventually(lambda: "a worker is waiting: " in service.logs())
    assert [process.poll() for process in processes] == [None] * 3
    execute(admin, f"ALTER ROLE {ROLE} PASSWORD '{PASSWORD}'")
    service.await_ready("default")
    assert service.run("default", {"required_arg": "x"})["status"] == "done"
    assert "Traceback" not in service.logs()


def test_a_right_that_is_taken_away_and_given_back_needs_no_restart(new_service: Callable[..., Service]):
    service = new_service(TASKS="tasks/tasks.py")
    admin = service.environment["DATABASE_URL"]
    service.environment["DATABASE_URL"] = of_role(admin, GRANT)
    for name in ("http", "handler", "janitor"):
        service.start(name)
    service.await_ready("default")
    execute(admin, f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {ROLE}")
    eventually(lambda: service.status("/health/ready") == 503)
    args = {"required_arg": "x"}
    for method, path, body in (
        ("POST", "/task/new", args),
        ("POST", "/tasks", [{"args": args}]),
        ("GET", "/task/1", None),
        ("GET", "/task/1/log", None),
        ("GET", "/tasks", None),
        ("GET", "/tasks/counts", None),
        ("POST", "/task/1/cancel", None),
        ("DELETE", "/task/1", None),
    ):
        answer = service.client.request(method, path, json=body)
        assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "1"), (path, answer.text)
    execute(admin, GRANT)
    service.await_ready("default")
    assert service.run("default", {"required_arg": "x"})["status"] == "done"
    assert all(process.poll() is None for process in service.processes)


def is_busy() -> bool:
    """Whether other work takes so much of this machine that it is no measure."""
    return os.getloadavg()[0] > (os.cpu_count() or 1)


def workers(pid: int) -> list[int]:
    return [child.pid for child in psutil.Process(pid).children()]


def kill(pid: int) -> None:
    psutil.Process(pid).kill()
