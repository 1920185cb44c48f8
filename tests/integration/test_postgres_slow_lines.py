"""A slow line to the database is no outage: the watchdog's deadline grows with the bytes that move."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from adapters.postgres import Database, PostgresStore
from adapters.postgres.session_settings import SESSION_SETTINGS
from adapters.postgres.watchdog import CHECK_SECONDS
from application.errors import StorageUnavailable
from domain.ids import TaskId
from tests.chaos.proxies import Proxies
from tests.concurrency import behind
from tests.steps import claim_one, submission, succeed
from tests.storage import in_postgres

ANSWER_SECONDS = 1.0
LARGE = f'"{"x" * 3_000_000}"'


@pytest.fixture(autouse=True)
def _in_a_hurry(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The watchdog and the server give up after a second without progress. No session keeps that for other tests."""
    monkeypatch.setattr("adapters.postgres.watchdog.MAX_ANSWER_SECONDS", ANSWER_SECONDS)
    monkeypatch.setitem(SESSION_SETTINGS, "idle_in_transaction_session_timeout", "1s")
    yield
    database.close()


def settle_large(database: Database) -> None:
    """Settle a claimed task with a large result."""
    running = claim_one(in_postgres(database))
    assert not succeed(in_postgres(database), running, result=LARGE)


def submit_large(database: Database) -> None:
    """Submit a task with large arguments in a unit of work."""
    with PostgresStore(database).begin() as work:
        assert work.tasks.add([submission(args=LARGE)])
        work.commit()


@pytest.mark.parametrize("send", [settle_large, submit_large])
def test_megabytes_over_a_slow_line_take_their_time(
    database: Database, postgres_url: str, proxies: Proxies, send: Callable[[Database], None]
):
    in_postgres(database).autocommit.add([submission()])
    with closing(Database(behind(proxies.new(bytes_per_second=1_000_000), postgres_url))) as slow:
        began = time.monotonic()
        send(slow)
        assert time.monotonic() - began > 2 * ANSWER_SECONDS


def test_megabytes_that_are_read_over_a_slow_line_take_their_time(
    database: Database, postgres_url: str, proxies: Proxies
):
    submit_large(database)
    with closing(Database(behind(proxies.new(bytes_per_second=1_000_000), postgres_url))) as slow:
        (record,) = in_postgres(slow).autocommit.get_many([TaskId(1)]).values()
        assert record.args == LARGE


def test_a_line_below_the_least_rate_is_an_outage(database: Database, postgres_url: str, proxies: Proxies):
    proxy = proxies.new(bytes_per_second=1_000_000)
    with closing(Database(behind(proxy, postgres_url))) as slow:
        assert not in_postgres(slow).autocommit.get_many([])
        proxy.slow_down(20_000)
        with pytest.raises(StorageUnavailable):
            submit_large(slow)


def test_a_line_that_stands_still_after_megabytes_is_an_outage_after_the_silence(
    database: Database, postgres_url: str, proxies: Proxies, background: ThreadPoolExecutor
):
    proxy = proxies.new(bytes_per_second=1_000_000)
    with closing(Database(behind(proxy, postgres_url))) as slow:
        sending = background.submit(submit_large, slow)
        time.sleep(2 * ANSWER_SECONDS)
        assert not sending.done()
        proxy.block()
        blocked_at = time.monotonic()
        with pytest.raises(StorageUnavailable):
            sending.result(timeout=20)
        assert time.monotonic() - blocked_at < ANSWER_SECONDS + 4 * CHECK_SECONDS
        proxy.unblock()
