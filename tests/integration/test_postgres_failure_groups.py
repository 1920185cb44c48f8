"""Failure groups on a real database: its rule is that of the application, and what had failed before is grouped."""

import re
from itertools import pairwise
from runpy import run_path

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from adapters.postgres import Database, Migration
from adapters.postgres.migrate import MIGRATIONS
from application.failure_groups import masked_stored, may_fit, stored_text
from application.ports.listing import Filter
from domain.failure import Error
from tests.concurrency import asked
from tests.steps import add, at, claim, fail, save, submission, task
from tests.storage import in_postgres

UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
PIECES = st.sampled_from(
    [*'0123456789abcfxXN-_ .\\"\n\0é失', "0x", "0X1f", UUID, UUID[:20], "\\u0041", "\ud800", "١", "error ", "a" * 290]
)
MESSAGES = st.lists(PIECES, max_size=8).map("".join)
GROUPS = text(
    "SELECT failure_group(error) FROM unnest(CAST(:errors AS text[])) WITH ORDINALITY AS e (error, n) ORDER BY n"
)
FAILED_TASKS = text("""
    INSERT INTO tasks (type, priority, status, run_at, expire, created, ttl, args, max_attempts, max_losses,
        attempt, claims, finished, error)
    SELECT 'a', 0, 'failed', now(), now() + interval '1 day', now(), 9, '{}', 1, 3,
        1, 1, now(), '["E", "row ' || n || '", 1]'
    FROM generate_series(1, :number) n
""")


@given(st.lists(MESSAGES, min_size=2, max_size=20))
@settings(max_examples=200)
def test_the_database_groups_errors_as_the_application_does(migrated_database: Database, messages: list[str]):
    # Of each message another one with other digits.
    messages += [re.sub("[0-9]", "77", message) for message in messages]
    errors = [stored_text(Error("E", message, n)) for n, message in enumerate(messages)]
    with migrated_database.engine.connect() as connection:
        numbers = connection.execute(GROUPS, {"errors": errors}).scalars().all()
    for one, other in pairwise(sorted(zip(map(masked_stored, errors), numbers, strict=True))):
        assert (one[0] == other[0]) == (one[1] == other[1])


@given(MESSAGES, MESSAGES, st.integers(0, 30), st.integers(1, 30))
def test_a_group_whose_errors_have_the_text_may_fit(newest: str, message: str, start: int, length: int):
    """The error of any task of the group stands for all of them."""
    found = f"E: {message}"[start : start + length]
    other = re.sub("[0-9]+", "5", message)
    for of_same_group in (message, other):
        error, searched = Error("E", of_same_group, 1), Filter(error=found)
        if masked_stored(stored_text(error)) == masked_stored(stored_text(Error("E", message, 1))):
            assert may_fit(stored_text(error), error, searched)


def test_entries_follow_every_change_of_failed_tasks(database: Database):
    storage = in_postgres(database)
    add(storage, *[submission()] * 4)
    for record in claim(storage, 3):
        fail(storage, record.task)
    save(storage, task(storage, 1).retry(task(storage, 1).created, 1))
    with database.engine.begin() as connection:
        connection.exec_driver_sql('UPDATE tasks SET error = \'["KeyError", "5", 1]\' WHERE id = 2')
        connection.exec_driver_sql("UPDATE tasks SET type = 'other' WHERE id = 3")
    truth = "SELECT type, failure_group(error), id, finished FROM tasks WHERE status = 'failed' ORDER BY 1, 2"
    entries = "SELECT * FROM task_failures ORDER BY 1, 2"
    assert asked(database, entries) == asked(database, truth)
    assert len(asked(database, entries)) == 2


@pytest.mark.parametrize("number", [0, 1, 2500])
def test_tasks_that_failed_before_there_were_groups_are_entered(empty_url: str, number: int):
    database = Database(empty_url)
    Migration(database)()
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE tasks DISABLE TRIGGER USER")
        connection.execute(FAILED_TASKS, {"number": number})
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
        with Operations.context(context), context.begin_transaction():
            run_path(str(MIGRATIONS / "versions" / "0018_failures_of_before.py"))["upgrade"]()
    assert asked(database, "SELECT count(*), count(DISTINCT failure_group) FROM task_failures") == [
        (number, min(number, 1))
    ]
    database.close()


def test_an_emptied_table_of_tasks_leaves_no_entries(database: Database):
    storage = in_postgres(database)
    add(storage, submission())
    fail(storage, claim(storage, 1)[0].task)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE tasks CASCADE")
    assert asked(database, "SELECT count(*) FROM task_failures") == [(0,)]


def test_an_expired_task_whose_entry_is_locked_is_left_and_its_neighbours_are_deleted(database: Database):
    storage = in_postgres(database)
    first, second = add(storage, *[submission(ttl=1)] * 2)
    for record in claim(storage, 2):
        fail(storage, record.task)
    with database.transaction() as connection, storage.begin() as work:
        connection.execute(text("SELECT FROM task_failures WHERE task = :id FOR UPDATE"), {"id": first.id})
        deleted = work.cleaning.delete_expired(at(90), 10)
        work.commit()
    assert (deleted.deleted, deleted.refused) == (1, [first.id])
    with storage.begin() as work:
        assert (work.tasks.get(first.id) is None, work.tasks.get(second.id) is None) == (False, True)
