"""Databases with settings or an encoding that nobody has chosen for this service."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from adapters.postgres import Database
from tests.conftest import ROOT
from tests.e2e.service import Service

TEXT = "é ‘😀’ \\n"
NOT_UNICODE = "flask-tasks: the database of DATABASE_URL cannot be used: its encoding is {}, which cannot hold every"
TASKS = """
from pathlib import Path
from flask_tasks import task

@task
def printing(x: str, mark: str) -> str:
    print(x)
    with Path(mark).open("a") as file:
        file.write("ran ")
    return x
"""


def execute(url: str, *commands: str) -> None:
    with (
        closing(Database(url)) as server,
        server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        for command in commands:
            connection.exec_driver_sql(command)


@pytest.fixture
def odd_url(new_database: Callable[[], str]) -> str:
    """The URL of a database whose defaults are of another time and place."""
    url = new_database()
    name = url.rpartition("/")[2]
    defaults = {
        "client_encoding": "LATIN1",
        "DateStyle": "German",
        "TimeZone": "Asia/Kathmandu",
        "extra_float_digits": "-15",
        "bytea_output": "escape",
        "default_transaction_isolation": "serializable",
    }
    execute(url, *(f"ALTER DATABASE {name} SET {setting} = '{value}'" for setting, value in defaults.items()))
    return url


def test_a_task_that_prints_an_accent_runs_once_and_is_recorded(odd_url: str, tmp_path: Path):
    (tmp_path / "printing.py").write_text(TASKS)
    service = Service(odd_url, tmp_path, TASKS=str(tmp_path / "printing.py"), PGCLIENTENCODING="LATIN1")
    try:
        for name in ("http", "handler", "janitor"):
            service.start(name)
        service.await_ready("printing")
        mark = tmp_path / "mark"
        task = service.run("printing", {"x": TEXT, "mark": str(mark)})
        assert (task["status"], task["result"], task["args"]["x"]) == ("done", TEXT, TEXT)
        (attempt,) = service.client.get(f"/task/{task['id']}/log").json()["attempts"]
        assert attempt["log"] == f"{TEXT}\n"
        assert mark.read_text() == "ran "
        (listed,) = service.client.get("/tasks", params={"args.x": TEXT}).json()["tasks"]
        assert listed["id"] == task["id"]
    finally:
        service.stop()


@pytest.fixture(params=["SQL_ASCII", "LATIN1"])
def not_unicode(request: pytest.FixtureRequest, postgres_url: str) -> Iterator[tuple[str, str]]:
    """An encoding, and the URL of an empty database that has it."""
    name = f"e2e_{request.param.lower()}"
    execute(postgres_url, f"CREATE DATABASE {name} ENCODING '{request.param}' LOCALE 'C' TEMPLATE template0")
    yield request.param, f"{postgres_url.rpartition('/')[0]}/{name}"
    execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("module", ["migrate", "handler", "janitor", "http", "up"])
def test_a_database_that_cannot_hold_unicode_ends_every_process_with_a_sentence(
    not_unicode: tuple[str, str], module: str, tmp_path: Path
):
    encoding, url = not_unicode
    service = Service(url, tmp_path)
    service.client.close()
    said = subprocess.run(
        [sys.executable, "-m", f"entrypoints.{module}"],
        cwd=ROOT,
        env=service.environment,
        capture_output=True,
        text=True,
        timeout=30,
    )
    lines = [line for line in said.stderr.splitlines() if "flask-tasks: " in line]
    assert said.returncode == 2, said.stderr
    assert len(lines) == 1, said.stderr
    assert lines[0].startswith(NOT_UNICODE.format(encoding))
    assert "Traceback" not in said.stderr
