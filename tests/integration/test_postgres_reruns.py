"""Reruns on PostgreSQL: found by an index among many, and deleted with their tasks in whatever way these go."""

from sqlalchemy import text

from adapters.postgres import Database, statements
from tests.steps import add_one, at
from tests.storage import in_postgres

FILL = text("INSERT INTO reruns SELECT n, n / 5 FROM generate_series(1000, 50000) AS n")
REMOVALS = ("DELETE FROM tasks", "TRUNCATE tasks CASCADE")


def plan(database: Database, statement: str, **values: int) -> str:
    with database.transaction() as connection:
        connection.execute(FILL)
        connection.execute(text("ANALYZE reruns"))
        return "\n".join(connection.execute(text(f"EXPLAIN {statement}"), values).scalars())


def test_reruns_are_found_by_an_index_in_their_order(database: Database):
    found = plan(database, str(statements.RERUNS), origin=7, limit=21)
    assert "reruns_of_origin" in found
    assert "Seq Scan" not in found
    assert "Sort" not in found


def test_an_origin_is_found_by_an_index(database: Database):
    assert "reruns_pkey" in plan(database, str(statements.ORIGIN), task=2000)


def test_a_link_goes_with_its_task_in_whatever_way_that_goes(database: Database):
    for removal in REMOVALS:
        task = add_one(in_postgres(database))
        with database.transaction() as connection:
            connection.execute(statements.ADD_RERUN, {"task": task.id, "origin": 1})
            connection.execute(text(removal))
            assert connection.execute(text("SELECT count(*) FROM reruns")).scalar() == 0, removal
            connection.commit()


def test_an_expired_task_whose_link_is_locked_is_left_and_its_neighbours_are_deleted(database: Database):
    storage = in_postgres(database)
    first, second = add_one(storage, ttl=1), add_one(storage, ttl=1)
    with database.transaction() as connection:
        connection.execute(statements.ADD_RERUN, {"task": first.id, "origin": 1})
        connection.commit()
    with database.transaction() as connection, storage.begin() as work:
        connection.execute(text("SELECT FROM reruns FOR UPDATE"))
        deleted = work.cleaning.delete_expired(at(60), 10)
        work.commit()
    assert (deleted.deleted, deleted.refused) == (1, [first.id])
    with storage.begin() as work:
        assert (work.tasks.get(first.id) is None, work.tasks.get(second.id) is None) == (False, True)
