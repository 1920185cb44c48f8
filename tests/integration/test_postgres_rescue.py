"""Rescues beside a real server: a lock takes no task from a handler that renews as soon as it can."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from threading import Event, Thread

import pytest

from adapters.background.thread_runner import ThreadRunner
from adapters.clocks import ManualClock
from adapters.memory import MemoryWakeUp
from adapters.postgres import Database, PostgresClock
from application.errors import StorageUnavailable
from application.rescue_guard import RescueGuard
from application.use_cases.rescue import Rescue
from domain.ids import HandlerId
from domain.lease import Lease
from domain.status import Status
from domain.task import Task
from tests.concurrency import until
from tests.steps import add, claim_one, submission, task
from tests.storage import Storage, in_postgres

LEASE = 1.2
RENEWS_SECONDS = 0.1


@contextmanager
def repeated(step: Callable[[], object], pause: float) -> Iterator[None]:
    """Take the step again and again on a thread of its own, whatever the storage says."""
    stopped = Event()

    def run() -> None:
        while not stopped.wait(pause):
            with suppress(StorageUnavailable):
                step()

    thread = Thread(target=run)
    thread.start()
    yield
    stopped.set()
    thread.join()


@pytest.fixture
def held(storage: Storage, database: Database) -> Task:
    """A task that may never start twice, in the hands of a handler."""
    add(storage, submission(max_losses=0, now=PostgresClock(database).now()))
    return claim_one(storage, now=PostgresClock(database).now(), lease=LEASE)


@pytest.fixture
def clock(database: Database) -> PostgresClock:
    return PostgresClock(database)


@contextmanager
def handler_and_rescuer(database: Database, clock: PostgresClock, held: Task) -> Iterator[Rescue]:
    """A handler that renews, and a rescuer that looks, each over the storage as the processes use it."""
    storage = in_postgres(database)
    rescue = Rescue(storage.begin, storage.autocommit, clock, MemoryWakeUp(), LEASE)

    def renew() -> None:
        storage.autocommit.renew([held.hold], Lease.granted(HandlerId("handler-1"), clock.now(), LEASE))

    with repeated(renew, RENEWS_SECONDS), repeated(rescue, 0.15):
        yield rescue


def test_a_lock_on_the_table_for_longer_than_a_lease_takes_nothing(
    database: Database, clock: PostgresClock, held: Task
):
    with handler_and_rescuer(database, clock, held):
        time.sleep(LEASE)
        with database.engine.begin() as index:
            index.exec_driver_sql("LOCK TABLE tasks IN SHARE MODE")
            time.sleep(1.5 * LEASE)
        time.sleep(1.5 * LEASE)
    assert task(in_postgres(database), held.id).status is Status.RUNNING


class TestLockedRows:
    """A row whose lock was let go after more than a lease is free for a rescuer before its handler can renew."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def rescue(self, storage: Storage, clock: ManualClock, held: Task) -> Rescue:
        """A rescuer for which the lease lapsed while the row was locked, and which has found the row free just now."""
        rescue = Rescue(storage.begin, storage.autocommit, clock, MemoryWakeUp(), LEASE)
        with storage.begin() as somebody:
            somebody.tasks.lock(held.id)
            for _ in range(9):
                assert list(rescue()) == []
                clock.move(LEASE / 3)
        assert list(rescue()) == []
        return rescue

    def test_its_handler_keeps_a_row_that_it_renews_before_the_next_look(
        self, storage: Storage, clock: ManualClock, held: Task, rescue: Rescue
    ):
        storage.autocommit.renew([held.hold], Lease.granted(HandlerId("handler-1"), clock.now(), LEASE))
        clock.move(LEASE / 3)
        assert list(rescue()) == []
        assert task(storage, held.id).status is Status.RUNNING

    def test_a_row_that_was_not_renewed_until_the_next_look_is_taken(
        self, clock: ManualClock, held: Task, rescue: Rescue
    ):
        clock.move(0.6 * LEASE / 3)
        assert list(rescue()) == []
        clock.move(0.6 * LEASE / 3)
        assert [each.id for each in rescue()] == [held.id]


NO_ROOM = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full';
END $$;
CREATE TRIGGER no_room BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION no_room()
"""
ROOM = "DROP FUNCTION no_room CASCADE"


def test_a_row_for_which_a_full_disk_had_no_room_is_renewed_before_it_is_taken(
    storage: Storage, database: Database, held: Task
):
    """The trial write finds room, as writes do that need no new page."""
    clock = ManualClock()
    rescue = Rescue(storage.begin, storage.autocommit, clock, MemoryWakeUp(), LEASE)
    with database.engine.begin() as disk:
        disk.exec_driver_sql(NO_ROOM)
    try:
        assert list(rescue()) == []
        for _ in range(3):
            clock.move(0.35 * LEASE)
            with suppress(StorageUnavailable):
                assert list(rescue()) == []
    finally:
        with database.engine.begin() as disk:
            disk.exec_driver_sql(ROOM)
    clock.move(0.35 * LEASE)
    assert list(rescue()) == []
    storage.autocommit.renew([held.hold], Lease.granted(HandlerId("handler-1"), clock.now(), LEASE))
    clock.move(0.35 * LEASE)
    assert list(rescue()) == []
    assert task(storage, held.id).status is Status.RUNNING


@pytest.mark.parametrize("lease", [1.0, 3.0, 5.0, 30.0, 3600.0])
def test_a_handler_tries_a_renewal_that_failed_again_before_its_task_is_taken(lease: float):
    with closing(ThreadRunner(lambda: None, lease)) as runner:
        assert RescueGuard(ManualClock(), lease)._confirmation > runner._max_pause


def test_a_task_of_a_handler_that_is_dead_is_taken_though_the_clock_of_its_lease_was_an_hour_ahead(
    database: Database, clock: PostgresClock
):
    storage = in_postgres(database)
    add(storage, submission(now=clock.now()))
    claim_one(storage, now=clock.now(), lease=3600)
    rescue = Rescue(storage.begin, storage.autocommit, clock, MemoryWakeUp(), LEASE)
    begun = time.monotonic()
    with repeated(rescue, 0.1):
        until(lambda: task(storage, 1).status is Status.WAITING)
    assert LEASE < time.monotonic() - begun < 2 * LEASE
