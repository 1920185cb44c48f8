"""Prepared statements: planned once a session, as long as no other client shares the session."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import event, text

from adapters.postgres import Database, Migration, PostgresAutocommitStore, PostgresStore, statements
from adapters.postgres.prepared import Prepared, for_the_driver
from application.errors import StorageConflict
from application.ports.queue import ClaimRequest
from domain.lease import Lease
from tests.concurrency import new_database, until
from tests.steps import ADD, HANDLER, NOW, add, add_one, claim, claim_one, ids, submission, succeed

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


def test_a_claim_is_planned_once(alone: Database):
    begin = PostgresStore(alone).begin
    for _ in range(10):
        claim(begin)
    assert asked(alone, PLANS) == (1, 10, 0)


@pytest.mark.parametrize(("key", "minds_keys"), [(None, False), ("k", True)])
def test_tasks_without_keys_are_added_by_the_statement_without_keys(alone: Database, key: str | None, minds_keys: bool):
    add(PostgresStore(alone).begin, submission(key=key), submission())
    sent = "SELECT strpos(statement, 'ON CONFLICT') > 0 FROM pg_prepared_statements"
    assert asked(alone, sent) == (minds_keys,)


def test_preparing_ends_in_a_session_that_another_client_had_meanwhile(alone: Database):
    begin = PostgresStore(alone).begin
    task = add_one(begin)
    claim(begin, wanted={"none": 1})
    told(alone, "DEALLOCATE ALL")
    with pytest.raises(StorageConflict):
        claim(begin)
    claimed = claim_one(begin)
    assert (claimed.id, claimed.claims) == (task.id, 1)
    assert not succeed(begin, claimed)
    assert asked(alone, "SELECT count(*) FROM pg_prepared_statements") == (0,)


def test_preparing_ends_in_a_session_in_which_another_client_has_prepared_the_same(alone: Database):
    begin = PostgresStore(alone).begin
    task = add_one(begin)
    told(alone, Prepared.of(for_the_driver(statements.CLAIM), 100).prepare)
    with pytest.raises(StorageConflict):
        claim(begin)
    assert ids(claim(begin)) == [task.id]


def test_a_statement_for_another_limit_is_another(alone: Database):
    begin = PostgresStore(alone).begin
    sent: list[str] = []
    event.listen(alone.engine, "before_cursor_execute", lambda *args: sent.append(args[2]))
    claim(begin, 3)
    claim(begin, 4)
    claim(begin, 3)
    assert [sent[0] == each for each in sent] == [True, False, True]


def test_autocommit_statements_are_planned_once_and_survive_a_session_that_another_client_had(
    database: Database, alone: Database
):
    autocommit = PostgresAutocommitStore(alone)
    task = add_one(PostgresStore(database).begin)
    for _ in range(3):
        assert {*autocommit.get_many([task.id])} == {task.id}
    plans = alone.execute_autocommit(text(PLANS), {})
    assert [tuple(row) for row in plans] == [(1, 3, 0)]
    alone.execute_autocommit(text("DEALLOCATE ALL; SELECT 1"), {})
    with pytest.raises(StorageConflict):
        autocommit.get_many([task.id])
    assert {*autocommit.get_many([task.id])} == {task.id}


def test_a_claim_in_a_session_that_another_client_had_leaves_no_transaction_open(alone: Database):
    autocommit, lease = PostgresAutocommitStore(alone), Lease.granted(HANDLER, NOW, 30)
    task = add_one(PostgresStore(alone).begin)
    assert autocommit.claim(lease, NOW, ClaimRequest({}, 9, 10**9, 0)) == []
    alone.execute_autocommit(text("DEALLOCATE ALL; SELECT 1"), {})
    one = ClaimRequest({ADD: 1}, 9, 10**9, 0)
    with pytest.raises(StorageConflict):
        autocommit.claim(lease, NOW, one)
    open_transactions = "SELECT count(*) FROM pg_stat_activity WHERE state ^@ 'idle in transaction'"
    # The server takes a moment to see that a connection was closed, but 10 s to end a transaction that was left open.
    until(lambda: asked(alone, open_transactions) == (0,), seconds=5)
    assert ids(autocommit.claim(lease, NOW, one)) == [task.id]


def test_a_statement_that_was_prepared_before_a_column_got_another_type_fails_once(postgres_url: str):
    with new_database(postgres_url, "of_another_type") as url, closing(Database(url, pool_size=1)) as database:
        with closing(Database(url)) as migrated:
            Migration(migrated)()
        begin = PostgresStore(database).begin
        task = add_one(begin)
        claim(begin, wanted={"none": 1})
        told(database, "ALTER TABLE tasks ALTER max_losses TYPE bigint")
        with pytest.raises(StorageConflict):
            claim(begin)
        assert ids(claim(begin)) == [task.id]
