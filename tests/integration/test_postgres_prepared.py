"""Prepared statements: planned once a session, as long as no other client shares the session."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import text

from adapters.postgres import Database, Migration, PostgresStore, statements
from adapters.postgres.prepared import Prepared, for_the_driver
from application.errors import StorageConflict
from domain.ids import TaskId
from domain.task import Task
from tests.concurrency import new_database
from tests.steps import NOW, add, add_one, claim, claim_one, ids, rescue, submission, succeed
from tests.storage import Storage, in_postgres

PLANS = "SELECT count(*), sum(generic_plans) AS generic, sum(custom_plans) AS custom FROM pg_prepared_statements"


@pytest.fixture
def alone(database: Database, postgres_url: str) -> Iterator[Database]:
    """The emptied database over one connection."""
    alone = Database(postgres_url, pool_size=1)
    yield alone
    alone.close()


def asked(database: Database, question: str) -> tuple[int, ...]:
    """Return the row that the question has on the only connection of the pool."""
    with database.engine.connect() as connection:
        return tuple(connection.exec_driver_sql(question).one())


def told(database: Database, command: str) -> None:
    """Execute the command on the only connection of the pool."""
    with database.engine.connect() as connection:
        connection.exec_driver_sql(command)
        connection.commit()


def asked_single(database: Database, question: str) -> list[tuple[int, ...]]:
    """Ask over the connection for operations that commit themselves."""
    return [tuple(row) for row in database.execute_autocommit(text(question), {})]


def view(database: Database) -> Task | None:
    """Send a prepared statement in a unit of work. The first task."""
    with PostgresStore(database).begin() as work:
        record = work.tasks.get(TaskId(1))
    return record.task if record else None


def test_a_statement_in_units_of_work_is_planned_once(alone: Database):
    for _ in range(10):
        view(alone)
    assert asked(alone, PLANS) == (1, 10, 0)


def test_a_claim_is_planned_once(alone: Database):
    for _ in range(10):
        claim(in_postgres(alone))
    assert asked_single(alone, PLANS) == [(1, 10, 0)]


@pytest.mark.parametrize(("key", "minds_keys"), [(None, False), ("k", True)])
def test_submissions_without_keys_use_the_statement_without_keys(alone: Database, key: str | None, minds_keys: bool):
    with PostgresStore(alone).begin() as work:
        work.tasks.add([submission(key=key), submission()])
        work.commit()
    add(in_postgres(alone), submission(key=key and "another"), submission())
    sent = "SELECT strpos(statement, 'ON CONFLICT') > 0 FROM pg_prepared_statements"
    assert asked(alone, sent) == (minds_keys,)
    assert asked_single(alone, sent) == [(minds_keys,)]


PREPARED = "SELECT count(*) FROM pg_prepared_statements"
DEALLOCATE = "DEALLOCATE ALL; SELECT 1"


def test_in_a_session_that_another_client_had_meanwhile_nothing_is_prepared_any_more(alone: Database, storage: Storage):
    add_one(storage)
    running = claim_one(storage, lease=-1)
    view(alone)
    told(alone, "DEALLOCATE ALL")
    with pytest.raises(StorageConflict):
        view(alone)
    assert view(alone) == running
    assert rescue(in_postgres(alone), NOW) == [running.suspected().lose(NOW)]
    assert asked(alone, PREPARED) == (0,)


def test_in_a_session_in_which_another_client_has_prepared_the_same_nothing_is_prepared_any_more(
    alone: Database, storage: Storage
):
    add_one(storage)
    running = claim_one(storage, lease=-1)
    told(alone, Prepared.of(for_the_driver(statements.GET), None).prepare)
    with pytest.raises(StorageConflict):
        view(alone)
    assert view(alone) == running


def test_a_claim_in_a_session_that_another_client_had_meanwhile_is_prepared_no_more(alone: Database):
    storage = in_postgres(alone)
    task = add_one(storage)
    claim(storage, wanted={"none": 1})
    asked_single(alone, DEALLOCATE)
    with pytest.raises(StorageConflict):
        claim(storage)
    claimed = claim_one(storage)
    assert (claimed.id, claimed.claims) == (task.id, 1)
    assert not succeed(storage, claimed)
    assert asked_single(alone, PREPARED) == [(0,)]


def test_a_claim_in_a_session_in_which_another_client_has_prepared_it_is_prepared_no_more(alone: Database):
    storage = in_postgres(alone)
    task = add_one(storage)
    other = Prepared.of(for_the_driver(statements.CLAIM_UNLIMITED.claim), 100)
    asked_single(alone, f"{DEALLOCATE}; {other.prepare}; SELECT 1")
    with pytest.raises(StorageConflict):
        claim(storage)
    assert ids(claim(storage)) == [task.id]


def test_a_claim_of_another_limit_is_another_statement(alone: Database):
    for limit in (3, 4, 3):
        claim(in_postgres(alone), limit)
    assert asked_single(alone, PREPARED) == [(2,)]


def test_single_steps_are_planned_once_and_survive_a_session_that_another_client_had(
    database: Database, alone: Database
):
    autocommit = in_postgres(alone).autocommit
    task = add_one(in_postgres(database))
    for _ in range(3):
        assert {*autocommit.get_many([task.id])} == {task.id}
    assert asked_single(alone, PLANS) == [(1, 3, 0)]
    asked_single(alone, DEALLOCATE)
    with pytest.raises(StorageConflict):
        autocommit.get_many([task.id])
    assert {*autocommit.get_many([task.id])} == {task.id}


def test_a_claim_in_a_session_that_another_client_had_leaves_no_transaction_open(alone: Database):
    storage = in_postgres(alone)
    task = add_one(storage)
    assert claim(storage, 9, wanted={"none": 1}) == []
    asked_single(alone, DEALLOCATE)
    with pytest.raises(StorageConflict):
        claim(storage, 9)
    assert asked(alone, "SELECT count(*) FROM pg_stat_activity WHERE state ^@ 'idle in transaction'") == (0,)
    assert ids(claim(storage, 9)) == [task.id]


@pytest.mark.parametrize("way", ["unit of work", "claim"])
def test_a_statement_that_was_prepared_before_a_column_got_another_type_is_not_executed_for_ever(
    postgres_url: str, way: str
):
    with new_database(postgres_url, "of_another_type") as url, closing(Database(url, pool_size=1)) as database:
        with closing(Database(url)) as migrated:
            Migration(migrated)()
        storage = in_postgres(database)
        task = add_one(storage)
        claim(storage, wanted={"none": 1})
        view(database)
        told(database, "ALTER TABLE tasks ALTER max_losses TYPE bigint")
        with pytest.raises(StorageConflict):
            if way == "unit of work":
                view(database)
            else:
                claim(storage)
        assert view(database) == task
        assert ids(claim(storage)) == [task.id]
