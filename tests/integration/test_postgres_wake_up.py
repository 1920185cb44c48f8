"""Wake-ups by NOTIFY and LISTEN: hints that come soon, come together, and do no harm where they fail."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from queue import Empty, SimpleQueue
from threading import enumerate as living_threads

import psycopg2.extensions
import pytest

from adapters.postgres import Database, PostgresListener, PostgresNotifier
from adapters.postgres.wake_up import CHANNELS, MIN_GAP_SECONDS
from application.ports.wake_up import Topic
from tests.concurrency import asked, until

HANDLERS = {Topic.WAITING, Topic.TAKEN}
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
LISTENING = "FROM pg_stat_activity WHERE query ~ '^LISTEN '"
NOTIFYING = "FROM pg_stat_activity WHERE application_name = 'notifier'"


@pytest.fixture
def notifier(postgres_url: str) -> Iterator[PostgresNotifier]:
    """One over a connection that can be told from others."""
    database = Database(postgres_url, application_name="notifier")
    notifier = PostgresNotifier(database)
    yield notifier
    notifier.close()
    database.close()


@pytest.fixture
def woken(database: Database) -> Iterator[SimpleQueue[Topic]]:
    """The topics that a listener is woken for, once it listens."""
    listener, told = PostgresListener(database), SimpleQueue[Topic]()
    listener.listen(told.put, HANDLERS)
    assert first_two(told) == HANDLERS
    yield told
    listener.close()


def first_two(told: SimpleQueue[Topic]) -> set[Topic]:
    return {told.get(timeout=20), told.get(timeout=20)}


@pytest.mark.parametrize("topic", HANDLERS)
def test_a_listener_is_woken_by_a_notification(notifier: PostgresNotifier, woken: SimpleQueue[Topic], topic: Topic):
    notifier.notify(topic)
    assert woken.get(timeout=20) is topic


def test_a_listener_that_was_cut_off_is_woken_for_what_it_may_have_missed_and_then_as_before(
    database: Database, notifier: PostgresNotifier, woken: SimpleQueue[Topic]
):
    assert asked(database, f"SELECT pg_terminate_backend(pid) {LISTENING}")
    assert first_two(woken) == HANDLERS
    notifier.notify(Topic.TAKEN)
    assert woken.get(timeout=20) is Topic.TAKEN


def test_a_notifier_that_was_cut_off_tells_again(
    database: Database, notifier: PostgresNotifier, woken: SimpleQueue[Topic]
):
    notifier.notify(Topic.WAITING)
    assert woken.get(timeout=20) is Topic.WAITING
    assert asked(database, f"SELECT pg_terminate_backend(pid) {NOTIFYING}")

    def told() -> bool:
        notifier.notify(Topic.TAKEN)
        try:
            return woken.get(timeout=0.1) is Topic.TAKEN
        except Empty:
            return False

    until(told)


def test_a_thousand_notifications_of_a_moment_arrive_as_a_few(database: Database, notifier: PostgresNotifier):
    with closing(database.connect()) as connection:
        connection.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
        connection.cursor().execute(f"LISTEN {CHANNELS[Topic.WAITING]}")
        begun = time.monotonic()
        for _ in range(1000):
            notifier.notify(Topic.WAITING)
        notifier.close()
        seconds = time.monotonic() - begun
        connection.cursor().execute("SELECT 1")
        assert 1 <= len(connection.notifies) <= 2 + seconds / MIN_GAP_SECONDS
        assert {each.payload for each in connection.notifies} == {Topic.WAITING}


def test_a_notifier_sends_pending_notifications_before_it_closes(database: Database, woken: SimpleQueue[Topic]):
    notifier = PostgresNotifier(database)
    notifier.notify(Topic.WAITING)
    notifier.notify(Topic.TAKEN)
    notifier.close()
    assert first_two(woken) == HANDLERS


def test_notifying_neither_waits_nor_raises_while_the_database_is_away():
    notifier = PostgresNotifier(Database(NOWHERE))
    begun = time.monotonic()
    for _ in range(100):
        notifier.notify(Topic.WAITING)
    assert time.monotonic() - begun < 1
    notifier.close()
    assert not running("notifier")


def test_a_listener_waits_for_a_database_that_is_away_until_it_is_closed():
    told = SimpleQueue[Topic]()
    listener = PostgresListener(Database(NOWHERE))
    listener.listen(told.put, HANDLERS)
    listener.close()
    assert told.empty()
    assert not running("listener")


def listened(database: Database) -> None:
    listener = PostgresListener(database)
    listener.listen(lambda topic: None, HANDLERS)
    listener.close()
    listener.close()


def notified(database: Database) -> None:
    notifier = PostgresNotifier(database)
    notifier.notify(Topic.WAITING)
    notifier.close()
    notifier.close()


@pytest.mark.parametrize("use", [listened, notified])
def test_a_closed_listener_and_notifier_leave_no_thread_no_connection_and_no_descriptor(
    database: Database, postgres_url: str, use: Callable[[Database], None]
):
    with closing(Database(postgres_url)) as own:
        use(own)
        before = descriptors()
        use(own)
        assert descriptors() == before
    assert not running("listener")
    assert not running("notifier")
    until(lambda: not asked(database, f"SELECT pid {LISTENING}"))


def test_a_listener_hears_over_a_descriptor_beyond_1023(database: Database, notifier: PostgresNotifier):
    resource = pytest.importorskip("resource")
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 1200:
        pytest.skip("no process may have that many descriptors here")
    taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(1050)]
    listener, told = PostgresListener(database), SimpleQueue[Topic]()
    try:
        listener.listen(told.put, HANDLERS)
        first_two(told)
        notifier.notify(Topic.WAITING)
        assert told.get(timeout=20) is Topic.WAITING
    finally:
        listener.close()
        for descriptor in taken:
            os.close(descriptor)


def running(name: str) -> bool:
    return any(thread.name == name for thread in living_threads())


def descriptors() -> int:
    """Return the number of descriptors that this process has open."""
    return len(os.listdir("/dev/fd"))
