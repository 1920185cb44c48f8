"""Tasks of megabytes: a slow line carries each once, and a janitor deletes them in batches that end in time."""

import re
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from adapters.postgres import Database
from tests.chaos.proxies import Proxies, Proxy
from tests.concurrency import asked, behind
from tests.e2e.service import Service, eventually

FUNCTIONS = str(Path(__file__).parent / "functions.py")
NewService = Callable[..., Service]
MEBIBYTE = 2**20
RESULT_MEBIBYTES = 8
LINE_BYTES_PER_SECOND = 1_000_000


@pytest.fixture
def line(proxies: Proxies) -> Proxy:
    """A slow line to the server of the databases."""
    return proxies.new(LINE_BYTES_PER_SECOND)


def test_a_large_result_on_a_slow_line_is_sent_once_and_delays_no_quick_neighbour(line: Proxy, new_service: NewService):
    service = new_service(TASKS=FUNCTIONS, LEASE="30", HANDLER_CONCURRENCY="6")
    service.start("http")
    service.start("handler", DATABASE_URL=behind(line, service.environment["DATABASE_URL"]))
    service.await_ready("large", "echo")
    large = service.submit("large", {"mebibytes": RESULT_MEBIBYTES})["id"]
    before = line.requested_bytes
    eventually(lambda: line.requested_bytes > before + MEBIBYTE)
    began = monotonic()
    quick = [service.submit("echo", {"n": n})["id"] for n in range(5)]
    for id in quick:
        service.await_status(id, "done", within=5)
    assert monotonic() - began < 5
    assert service.view(large)["status"] == "running"
    task = service.await_status(large, "done", within=60)
    assert (task["attempt"], len(task["result"])) == (1, RESULT_MEBIBYTES * MEBIBYTE)
    assert service.run("echo")["status"] == "done"
    assert line.requested_bytes - before < 1.2 * RESULT_MEBIBYTES * MEBIBYTE
    assert not re.search("took back|the database is away", service.logs())


# Eight times as many were seen in production; these are several batches.
EXPIRED, EXPIRED_MEBIBYTES = 50, 8
# Stored as it is: compressed texts would be small.
INSERT_EXPIRED = f"""
    ALTER TABLE tasks ALTER COLUMN result SET STORAGE EXTERNAL;
    INSERT INTO tasks (type, args, created, run_at, expire, ttl, priority, max_attempts, max_losses,
        status, attempt, claims, finished, result)
    SELECT 'large', '{{}}', moment, moment, moment, 60, 0, 1, 0, 'done', 1, 1, moment,
        '"' || repeat('x', {EXPIRED_MEBIBYTES * MEBIBYTE}) || '"'
    FROM generate_series(1, {EXPIRED}), (SELECT now() - interval '1 hour' AS moment) past
"""
INSERT_LAPSED = """
    INSERT INTO tasks (type, args, created, run_at, expire, ttl, priority, max_attempts, max_losses,
        status, attempt, claims, handler, lease_until, started)
    SELECT 'echo', '{}', now(), now(), now() + interval '1 hour', 3600, 0, 1, 3, 'running', 1, 1, 'gone', now(), now()
"""


def test_a_janitor_deletes_large_tasks_in_batches_that_end_in_time_and_rescues_meanwhile(new_service: NewService):
    service = new_service(LEASE="1")
    assert service.start("migrate").wait(30) == 0
    database = Database(service.environment["DATABASE_URL"])
    with database.engine.begin() as connection:
        connection.exec_driver_sql(INSERT_EXPIRED)
        connection.exec_driver_sql(INSERT_LAPSED)
    service.start("janitor")
    eventually(lambda: asked(database, "SELECT status FROM tasks WHERE type = 'echo'") == [("waiting",)], within=10)
    eventually(lambda: asked(database, "SELECT count(*) FROM tasks") == [(1,)], within=60)
    database.close()
    deleted = [int(number) for number in re.findall(r"deleted (\d+) expired", service.logs())]
    assert sum(deleted) == EXPIRED
    assert max(deleted) <= 64 // EXPIRED_MEBIBYTES
    assert "the database is away" not in service.logs()
