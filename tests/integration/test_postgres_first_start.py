"""The first start: several processes migrate one empty database at once, through a pooler."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.postgres import Database, Migration
from adapters.postgres.migrate import NEWEST_REVISION
from tests.concurrency import asked
from tests.conftest import ROOT
from tests.pgbouncer import needs_pgbouncer, pgbouncer

pytestmark = needs_pgbouncer
PROCESSES = 8
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"


@pytest.fixture
def pooled_url(empty_url: str, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database behind a PgBouncer."""
    with pgbouncer(empty_url, tmp_path) as url:
        yield url


def migrating(url: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "entrypoints.migrate"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_processes_that_start_at_once_behind_a_pooler_migrate_once(pooled_url: str, empty_url: str):
    processes = [migrating(pooled_url) for _ in range(PROCESSES)]
    outputs = [each.communicate(timeout=120)[0] for each in processes]
    assert [each.returncode for each in processes] == [0] * PROCESSES, outputs
    assert not any("Traceback" in output for output in outputs), outputs
    direct = Database(empty_url)
    assert asked(direct, "SELECT version_num FROM alembic_version") == [(NEWEST_REVISION,)]
    assert asked(direct, LOCKS) == [(0,)]
    direct.close()


def test_a_migration_behind_a_pooler_holds_its_lock_for_as_long_as_it_takes(pooled_url: str, empty_url: str):
    pooled, direct = Database(pooled_url), Database(empty_url)
    with Migration(pooled)._locked():
        # Other clients use the sessions of the pooler meanwhile.
        assert {asked(pooled, "SELECT 1")[0] for _ in range(5)} == {(1,)}
        assert asked(direct, LOCKS) == [(1,)]
    assert asked(direct, LOCKS) == [(0,)]
    pooled.close()
    direct.close()
