"""Rescuing while clocks are set, looks fail or the storage restarts: no living handler loses a task."""

from contextlib import suppress
from datetime import timedelta

import pytest

from adapters.memory import MemoryAutocommitStore, MemoryStore
from application.errors import StorageConflict, StorageUnavailable
from application.ports.queue import LeaseObservation
from application.use_cases.rescue import Rescue
from domain.ids import TypeName
from tests import steps
from tests.storage import in_memory
from tests.unit.memory_service import Service
from tests.unit.rescuing import CONFIRMATION, LEASE, Rescuing, running, watch

ADD = TypeName("add")


class TestClocks(Rescuing):
    @pytest.mark.parametrize("hours", [-1, 1])
    def test_a_clock_that_is_set_takes_nothing_from_a_handler_that_renews(
        self, service: Service, rescue: Rescue, hours: int
    ):
        (task,) = running(service)
        watch(service, rescue, 2 * LEASE - 1)
        service.clock.set(service.clock.now() + timedelta(hours=hours))
        for _ in range(9):
            steps.renew(service.storage, [task.hold], service.clock.now())
            assert list(watch(service, rescue, LEASE / 3)) == []

    @pytest.mark.parametrize("hours", [-1, 1])
    def test_a_clock_that_is_set_delays_no_rescue(self, service: Service, rescue: Rescue, hours: int):
        running(service)
        rescue()
        service.clock.set(service.clock.now() + timedelta(hours=hours))
        watch(service, rescue, LEASE)
        service.clock.move(CONFIRMATION)
        assert [task.id for task in rescue()] == [1]

    def test_a_clock_that_was_set_leaves_it_open_who_is_alive_until_all_know_it(self, service: Service, rescue: Rescue):
        rescue()
        watch(service, rescue, 4 * LEASE)
        assert rescue.guard.has_lasted
        service.clock.set(service.clock.now() + timedelta(hours=1))
        assert not rescue.guard.has_lasted
        watch(service, rescue, LEASE)
        assert not rescue.guard.has_lasted
        watch(service, rescue, 2 * LEASE)
        assert rescue.guard.has_lasted


class TestPostponedRescue(Rescuing):
    """Events that may have prevented renewals postpone the rescue by one lease."""

    @pytest.fixture
    def watched(self, service: Service, rescue: Rescue) -> Service:
        """A service in which a lease has nearly been seen for long enough."""
        running(service)
        rescue()
        watch(service, rescue, LEASE - 1)
        return service

    def test_without_such_an_event_the_task_is_taken(self, watched: Service, rescue: Rescue):
        watch(watched, rescue, 1)
        assert len(watch(watched, rescue, CONFIRMATION)) == 1

    @pytest.mark.parametrize("error", [StorageUnavailable(), StorageConflict(), ValueError("any other")])
    def test_a_failed_look_postpones_the_rescue(self, watched: Service, rescue: Rescue, error: Exception):
        """A conflict is a table that is locked: renewals wait for it as well."""
        watched.errors = [error]
        with suppress(StorageUnavailable, ValueError):
            assert list(rescue()) == []
        self.is_postponed(watched, rescue)

    def test_a_trial_write_that_fails_postpones_the_rescue_though_reads_succeed(
        self, watched: Service, rescue: Rescue, monkeypatch: pytest.MonkeyPatch
    ):
        def refuse(store: MemoryAutocommitStore) -> None:
            raise StorageConflict

        with monkeypatch.context() as locked:
            locked.setattr(MemoryAutocommitStore, "observe_leases", refuse)
            assert list(watch(watched, rescue, 3 * LEASE)) == []
        self.is_postponed(watched, rescue)

    def test_a_restart_of_the_storage_postpones_the_rescue_whatever_its_clock_says(
        self, watched: Service, rescue: Rescue
    ):
        watched.store.up_since = steps.at(-(10**6))
        self.is_postponed(watched, rescue)

    def test_a_slow_look_postpones_the_rescue(self, watched: Service, rescue: Rescue, monkeypatch: pytest.MonkeyPatch):
        """The server hung, and went on."""
        observe = MemoryAutocommitStore.observe_leases

        def hang_and_observe(store: MemoryAutocommitStore) -> LeaseObservation:
            watched.clock.move(LEASE / 2.5)
            return observe(store)

        with monkeypatch.context() as hanging:
            hanging.setattr(MemoryAutocommitStore, "observe_leases", hang_and_observe)
            assert list(rescue()) == []
        self.is_postponed(watched, rescue)

    def test_a_time_without_a_look_postpones_the_rescue(self, watched: Service, rescue: Rescue):
        watched.clock.move(LEASE)
        self.is_postponed(watched, rescue)

    def is_postponed(self, service: Service, rescue: Rescue) -> None:
        """From the next look on, the lease has to be seen for a whole lease again."""
        assert list(rescue()) == []
        assert list(watch(service, rescue, LEASE)) == []
        service.clock.move(CONFIRMATION)
        assert [task.id for task in rescue()] == [1]


def test_a_memory_store_is_up_since_1970():
    assert in_memory(MemoryStore()).autocommit.observe_leases().up_since.year == 1970
