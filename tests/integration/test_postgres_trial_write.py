"""The trial write meets what a renewal would meet: locks on the table, read-only spells, missing privileges."""

import pytest

from adapters.postgres import Database
from application.errors import StorageConflict, StorageUnavailable
from domain.ids import TaskId
from tests.concurrency import with_settings
from tests.steps import add, submission
from tests.storage import Storage, in_postgres


def try_write(storage: Storage) -> None:
    with storage.begin() as work:
        work.queue.try_write()
        work.commit()


@pytest.mark.parametrize("mode", ["SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"])
def test_a_lock_on_the_table_of_tasks_stops_a_trial_write(database: Database, mode: str):
    with database.engine.begin() as locker:
        locker.exec_driver_sql(f"LOCK TABLE tasks IN {mode} MODE")
        with pytest.raises(StorageConflict):
            try_write(in_postgres(database))
    try_write(in_postgres(database))


def test_a_locked_row_does_not_stop_a_trial_write(storage: Storage):
    add(storage, submission())
    with storage.begin() as locker:
        locker.tasks.lock(TaskId(1))
        try_write(storage)


def test_a_read_only_spell_stops_a_trial_write(postgres_url: str, database: Database):
    read_only = Database(with_settings(postgres_url, default_transaction_read_only="on"))
    with pytest.raises(StorageUnavailable):
        try_write(in_postgres(read_only))
    read_only.close()


def test_a_trial_write_is_flushed_at_its_commit(storage: Storage, database: Database):
    """Otherwise a full disk, or a standby that does not answer, would not stop it."""

    def written() -> int:
        with database.engine.begin() as connection:
            sql = "SELECT pg_current_wal_flush_lsn() - '0/0'::pg_lsn"
            return int(connection.exec_driver_sql(sql).scalar_one())

    before = written()
    try_write(storage)
    assert written() > before
