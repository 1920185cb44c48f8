"""The trial write meets what a renewal would meet: locks on the table, read-only spells, missing privileges."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.postgres import Database
from application.errors import StorageConflict, StorageUnavailable
from domain.ids import TaskId
from tests.concurrency import until_waiting, with_settings
from tests.steps import add, claim_one, submission
from tests.storage import Storage, in_postgres


@pytest.mark.parametrize("mode", ["SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"])
def test_a_lock_on_the_table_of_tasks_stops_a_trial_write(database: Database, mode: str):
    with database.engine.begin() as locker:
        locker.exec_driver_sql(f"LOCK TABLE tasks IN {mode} MODE")
        with pytest.raises(StorageConflict):
            in_postgres(database).autocommit.observe_leases()
    in_postgres(database).autocommit.observe_leases()


def test_the_leases_are_read_after_the_trial_write_has_waited_for_the_table(
    storage: Storage, database: Database, background: ThreadPoolExecutor
):
    """A renewal that waited for the same lock and was quicker is seen."""
    add(storage, submission())
    claim_one(storage)
    with database.engine.begin() as locker:
        locker.exec_driver_sql("LOCK TABLE tasks IN SHARE ROW EXCLUSIVE MODE")
        look = background.submit(storage.autocommit.observe_leases)
        until_waiting(database)
        locker.exec_driver_sql("UPDATE tasks SET handler = 'newer'")
    assert [lease.handler for lease in look.result().leases] == ["newer"]


def test_a_locked_row_does_not_stop_a_trial_write(storage: Storage):
    add(storage, submission())
    with storage.begin() as locker:
        locker.tasks.lock(TaskId(1))
        storage.autocommit.observe_leases()


def test_a_read_only_spell_stops_a_trial_write(postgres_url: str, database: Database):
    read_only = Database(with_settings(postgres_url, default_transaction_read_only="on"))
    with pytest.raises(StorageUnavailable):
        in_postgres(read_only).autocommit.observe_leases()
    read_only.close()


def test_a_trial_write_is_flushed_at_its_commit_while_a_task_runs(storage: Storage, database: Database):
    """Otherwise a full disk, or a standby that does not answer, would not stop it. Nothing is flushed for no lease."""

    def flushed() -> int:
        with database.engine.begin() as connection:
            sql = "SELECT pg_current_wal_flush_lsn() - '0/0'::pg_lsn"
            return int(connection.exec_driver_sql(sql).scalar_one())

    def xid() -> int:
        with database.engine.begin() as connection:
            return int(connection.exec_driver_sql("SELECT pg_snapshot_xmax(pg_current_snapshot())").scalar_one())

    before = xid()
    storage.autocommit.observe_leases()
    assert xid() == before
    add(storage, submission())
    claim_one(storage)
    before = flushed()
    storage.autocommit.observe_leases()
    assert flushed() > before
