"""Deleting expired tasks and forgetting what is gone, over memory."""

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from adapters.memory.cleaning import MemoryCleaning
from application.errors import StorageConflict, StorageUnavailable
from application.ports.cleaning import MAX_BATCH_BYTES, DeletedTasks
from application.ports.monitoring import JanitorRecord
from application.use_cases.renew_janitor import FORGETTING_SECONDS
from domain.ids import TaskId, TypeName
from domain.task_type import TaskType
from tests import steps
from tests.unit.memory_service import HANDLER, Service

ADD = TypeName("add")


@pytest.fixture
def service() -> Service:
    return Service()


def janitors(service: Service) -> Sequence[JanitorRecord]:
    with service.store.begin() as work:
        return work.monitoring.janitors(service.clock.now(), 10)


class TestCleaning:
    def test_expired_tasks_are_deleted_in_batches_and_the_unrun_reported(self, service: Service):
        steps.add(service.storage, *(steps.submission(ttl=ttl) for ttl in (10, 20, 30, 999)))
        clean = service.janitor.clean()
        service.clock.move(60)
        assert clean(limit=2) == DeletedTasks(2, {TaskId(1): ADD, TaskId(2): ADD})
        assert clean(limit=2) == DeletedTasks(1, {TaskId(3): ADD})
        assert clean(limit=2) == DeletedTasks(0)

    def test_a_batch_that_takes_the_storage_too_long_is_repeated_with_half_its_bounds(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ):
        """The watchdog cuts a transaction that takes too long."""
        steps.add(service.storage, *(steps.submission(ttl=ttl) for ttl in range(1, 9)))
        service.clock.move(60)
        clean = service.janitor.clean()
        limits: list[tuple[int, int]] = []
        delete = MemoryCleaning.delete_expired

        def cut_off(cleaning: MemoryCleaning, now: datetime, limit: int, max_bytes: int, left_out: Any) -> DeletedTasks:
            limits.append((limit, max_bytes))
            if limit > 2:
                raise StorageUnavailable
            return delete(cleaning, now, limit, max_bytes, left_out)

        monkeypatch.setattr(MemoryCleaning, "delete_expired", cut_off)
        for _ in range(2):
            with pytest.raises(StorageUnavailable):
                clean(limit=8)
        assert clean(limit=8).deleted == 2
        assert limits == [(8, MAX_BATCH_BYTES), (4, MAX_BATCH_BYTES // 2), (2, MAX_BATCH_BYTES // 4)]

    def test_handlers_that_are_long_dead_are_forgotten(self, service: Service):
        service.publish(TaskType(name=TypeName("add")), seconds=1)
        service.clock.move(86_400)
        assert service.janitor.forget_dead_handlers()() == 1
        with service.begin() as work:
            assert not work.types.renew(HANDLER, service.clock.now())

    def test_a_janitor_is_known_from_its_first_renewal_on_until_it_is_withdrawn(self, service: Service):
        started = service.clock.now()
        renew = service.janitor.renew_janitor()
        for seconds in (0, 3):
            service.clock.move(seconds)
            renew()
            (janitor,) = janitors(service)
            assert (janitor.id, janitor.pid) == (service.janitor.janitor_id(), os.getpid())
            assert (janitor.started, janitor.last_seen) == (started, service.clock.now())
        service.janitor.withdraw_janitor()()
        assert janitors(service) == []

    def test_a_janitor_that_died_a_day_ago_is_forgotten_by_one_that_lives(self, service: Service):
        service.janitor.renew_janitor()()
        service.clock.move(86_399)
        other = Service(clock=service.clock, store=service.store)
        other.janitor.renew_janitor()()
        assert len(janitors(service)) == 2
        service.clock.move(FORGETTING_SECONDS)
        other.janitor.renew_janitor()()
        assert [each.id for each in janitors(service)] == [other.janitor.janitor_id()]

    def test_a_locked_record_of_a_janitor_is_renewed_by_the_next_call_and_fails_no_chore(self, service: Service):
        renew = service.janitor.renew_janitor()
        service.errors.append(StorageConflict())
        renew()
        assert janitors(service) == []
        renew()
        service.errors += [StorageConflict(), StorageConflict()]
        renew()
        assert len(janitors(service)) == 1

    @pytest.mark.parametrize("error", [StorageUnavailable, StorageConflict])
    def test_a_janitor_stops_though_its_record_cannot_be_withdrawn(self, service: Service, error: type[Exception]):
        service.janitor.renew_janitor()()
        service.errors.append(error())
        service.janitor.withdraw_janitor()()
        assert len(janitors(service)) == 1

    def test_a_type_is_forgotten_once_neither_a_handler_nor_a_task_has_it_for_as_long_as_tasks_are_kept(
        self, service: Service
    ):
        service.publish(TaskType(name=TypeName("old")))
        service.publish(TaskType(name=TypeName("kept")), seconds=10_000)
        service.submit("old")
        forget = service.janitor.forget_types()
        assert list(forget()) == []
        service.clock.move(600)
        assert list(forget()) == []
        service.janitor.clean()()
        assert list(forget()) == ["old"]
        service.clock.move(1)
        assert service.types.all().keys() == {"default", "kept"}
