"""A failover loses commits, so that a new task gets the id of a lost one: the handler of the lost one harms it not."""

import pytest
from sqlalchemy import text

from adapters.postgres import Database
from application.ports.queue import ProgressReport
from domain.progress import Progress
from domain.settlement import LateLog, Settlement
from domain.task import Task
from tests.steps import add_one, at, claim_one, renew, report, settle, stored, succeed, task
from tests.storage import in_postgres


@pytest.fixture(params=["another handler", "the same handler"])
def tasks(database: Database, request: pytest.FixtureRequest) -> tuple[Task, Task]:
    """A running task that was lost, and another one with the same id and claim that runs now."""
    storage = in_postgres(database)
    add_one(storage)
    lost = claim_one(storage).reported(at(1), Progress(0.9))
    with database.engine.begin() as connection:
        connection.execute(text("DELETE FROM tasks"))
        connection.execute(text("SELECT setval(pg_get_serial_sequence('tasks', 'id'), 1, false)"))
    add_one(storage, now=at(2))
    holder = "handler-1" if request.param == "the same handler" else "handler-2"
    running = claim_one(storage, now=at(2), handler=holder)
    assert (lost.id, lost.claims) == (running.id, running.claims)
    return lost, running


@pytest.mark.parametrize("log", ["", "printed"])
def test_an_outcome_of_the_lost_task_is_refused(database: Database, tasks: tuple[Task, Task], log: str):
    storage, (lost, running) = in_postgres(database), tasks
    late = Settlement.succeeded(lost, at(3), '"of the lost task"', log)
    assert list(settle(storage, late)) == [1]
    assert list(storage.autocommit.settle_unlocked([late]).refused) == [1]
    assert task(storage, 1) == running
    assert list(succeed(storage, running, at(4), "1")) == []
    assert list(settle(storage, late)) == [1]
    assert stored(storage, 1).result == "1"


def test_an_outcome_of_the_lost_task_does_not_pass_with_one_of_the_new_task(
    database: Database, tasks: tuple[Task, Task]
):
    storage, (lost, running) = in_postgres(database), tasks
    late = Settlement.succeeded(lost, at(3), '"of the lost task"')
    assert list(settle(storage, late, Settlement.released(running, at(3)))) == [1]
    assert task(storage, 1) == running.release(at(3))


def test_the_late_log_of_the_lost_task_is_dropped(database: Database, tasks: tuple[Task, Task]):
    storage, (lost, running) = in_postgres(database), tasks
    assert not settle(storage, Settlement.succeeded(running, at(3), "1", "printed"))
    with storage.begin() as work:
        work.queue.record_late_logs([LateLog.of(lost, at(4), "of the lost task")])
        work.commit()
    with storage.begin() as work:
        assert [record.log for record in work.tasks.attempts(lost.id)] == ["printed"]


def test_another_handler_neither_renews_nor_reports_the_new_task(database: Database, tasks: tuple[Task, Task]):
    storage, (lost, running) = in_postgres(database), tasks
    if lost.hold == running.hold:
        pytest.skip("the supervisor of one handler tells the two apart when it claims the new one")
    assert list(renew(storage, [lost.hold], at(20))) == [lost.hold]
    report(storage, ProgressReport(lost.hold, at(1), Progress(0.9)))
    assert task(storage, 1) == running
