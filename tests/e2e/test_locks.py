"""Locks that another session holds for longer than a lease, beside real processes: handlers start, claim and renew."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest

from adapters.postgres import Database
from tests.e2e.service import Service, eventually

FUNCTIONS = Path(__file__).parent / "functions.py"
RECURRING = """
from flask_tasks import task

@task(every="0 0 1 1 *")
def yearly():
    "Recurs."
"""
LOCKED_SECONDS = 6.0
"""Twice the lease of a service."""
NewService = Callable[..., Service]


@contextmanager
def locked(service: Service, statement: str) -> Iterator[None]:
    database = Database(service.environment["DATABASE_URL"])
    with database.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        connection.exec_driver_sql(statement)
        yield
    database.close()


@pytest.fixture
def service(new_service: NewService, tmp_path: Path) -> Service:
    """API and handler of functions of which one recurs."""
    recurring = tmp_path / "recurring.py"
    recurring.write_text(RECURRING)
    service = new_service(TASKS=f"{FUNCTIONS},{recurring}", HANDLER_CONCURRENCY="4")
    for name in ("http", "handler"):
        service.start(name)
    service.await_ready("slow", "yearly")
    return service


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT FROM task_types FOR UPDATE; SELECT FROM schedules FOR UPDATE",
        "LOCK TABLE task_types, schedules IN SHARE MODE",
    ],
)
def test_a_handler_starts_claims_and_renews_while_types_are_locked(service: Service, statement: str):
    service.processes[1].terminate()
    assert service.processes[1].wait(15) == 0
    with locked(service, statement):
        began = monotonic()
        service.start("handler")
        long = service.submit("slow", {"seconds": LOCKED_SECONDS})["id"]
        service.await_status(long, "running", within=10)
        while monotonic() - began < LOCKED_SECONDS + 2:
            asked_at = monotonic()
            assert service.run("echo")["status"] == "done"
            assert monotonic() - asked_at < 3
            sleep(0.3)
        task = service.await_status(long, "done", within=5)
        assert task["attempt"] == 1
    assert service.logs().count("published as soon as that ends") == 1
    assert "took back" not in service.logs()


@pytest.mark.parametrize("tables", ["handlers, deliveries, task_types, schedules", "attempts"])
def test_claims_renewals_outcomes_and_rescues_go_on_while_tables_beside_the_tasks_are_locked(
    service: Service, tmp_path: Path, tables: str
):
    service.start("janitor")
    mark = tmp_path / "mark"
    with locked(service, f"LOCK TABLE {tables} IN SHARE MODE"):
        long = service.submit("slow", {"seconds": LOCKED_SECONDS})["id"]
        service.await_status(long, "running", within=5)
        for _ in range(10):
            began = monotonic()
            assert service.run("echo")["status"] == "done"
            assert monotonic() - began < 3
            sleep(LOCKED_SECONDS / 10)
        assert service.await_status(long, "done", within=5)["attempt"] == 1
        if tables != "attempts":  # The record of a lost start is stored with its rescue, which waits for it.
            lost = service.submit("slow", {"seconds": 1, "mark": str(mark)})["id"]
            eventually(lambda: mark.exists())
            service.processes[1].kill()
            service.await_status(lost, "waiting", within=10)
    service.processes[1].kill()
    service.start("handler")
    assert service.run("echo")["status"] == "done"
    if mark.exists():
        assert service.await_status(lost, "done")["status"] == "done"
