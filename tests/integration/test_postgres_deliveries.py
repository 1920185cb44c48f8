"""Deliveries on a real database: claimed by several at once, made by triggers, and found among a great many."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.postgres import Database, PostgresStore
from domain.ids import TaskId
from tests.concurrency import asked, until_waiting
from tests.integration.test_postgres_plans import explained
from tests.steps import NOW, add, at, save, submission, task
from tests.storage import Storage

URL = "http://receiver/"
MANY = """
    INSERT INTO deliveries (task, finished, due, url, state)
    SELECT n, '2026-01-01Z', '2025-01-01Z', 'http://receiver/',
        CASE mod(n, 100) WHEN 0 THEN 'pending' ELSE 'delivered' END
    FROM generate_series(1, 100000) n
"""


def cancelled(storage: Storage, number: int) -> None:
    """Tasks whose addresses are to be told."""
    for each in add(storage, *(submission(callback=URL) for _ in range(number))):
        save(storage, each.cancel(NOW))


def test_two_who_claim_at_once_have_different_ones(storage: Storage):
    cancelled(storage, 3)
    with storage.begin() as one, storage.begin() as other:
        assert [each.id for each in one.deliveries.claim(NOW, at(60), 2)] == [1, 2]
        assert [each.id for each in other.deliveries.claim(NOW, at(60), 2)] == [3]
        one.commit()
        other.commit()
    assert attempts(storage) == [1, 1, 1]


def test_a_retry_waits_for_the_claim_of_the_delivery_and_then_ends_it(
    storage: Storage, database: Database, background: ThreadPoolExecutor
):
    cancelled(storage, 1)
    with storage.begin() as work:
        (claimed,) = work.deliveries.claim(NOW, at(60), 1)
        retrying = background.submit(save, storage, task(storage, 1).retry(at(1), 1))
        until_waiting(database)
        assert work.tasks.get(TaskId(1))
        work.commit()
    retrying.result(20)
    with storage.begin() as work:
        assert not work.deliveries.settle(claimed.delivered())
    assert asked(database, "SELECT * FROM deliveries") == []


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        ("UPDATE tasks SET status = 'cancelled', finished = '2026-01-02Z'", 1),
        ("UPDATE tasks SET priority = 1", 0),
        ("UPDATE tasks SET finished = NULL", 0),
        ("DELETE FROM tasks", 0),
    ],
)
def test_whatever_statement_changes_a_task_its_delivery_follows(
    storage: Storage, database: Database, statement: str, kept: int
):
    add(storage, submission(callback=URL), submission())
    with database.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert len(asked(database, "SELECT * FROM deliveries")) == kept


def test_a_type_that_older_code_publishes_has_no_callback(database: Database):
    with database.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO task_types VALUES ('add', '', '{}', 0, 1, 3, NULL, true)")
    with PostgresStore(database).begin() as work:
        (published,) = work.types.all(NOW)
    assert published.type.options.callback is None


@pytest.mark.parametrize("is_analyzed", [True, False])
def test_the_next_delivery_is_found_among_a_great_many_that_were_delivered(database: Database, is_analyzed: bool):
    with database.engine.begin() as connection:
        connection.exec_driver_sql(MANY)
    if is_analyzed:
        with database.engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE deliveries")
    with explained(database) as plans, PostgresStore(database).begin() as work:
        assert len(work.deliveries.claim(NOW, at(60), 8)) == 8
    of_batches, of_tasks = plans
    assert of_tasks.indexes == {"deliveries_due", "deliveries_pkey"}
    assert of_batches.buffers + of_tasks.buffers < 200


def attempts(storage: Storage) -> list[int]:
    with storage.begin() as work:
        found = [work.tasks.get(TaskId(id)) for id in (1, 2, 3)]
    return [each.delivery.attempts for each in found if each and each.delivery]
