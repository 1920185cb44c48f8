"""The published types as one process knows them."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from threading import Event

import pytest

from adapters.memory.unit_of_work import MemoryUnitOfWork
from application.errors import StorageUnavailable, UnknownType
from application.known_types import MAX_AGE_SECONDS, KnownTypes
from domain.ids import DEFAULT_TYPE, TypeName
from domain.task_type import DEFAULT, TaskType
from tests.unit.memory_service import Service

ADD = TaskType(name=TypeName("add"), description="Adds.")


@pytest.fixture
def service() -> Service:
    return Service()


def test_the_default_type_is_always_known_but_lives_only_with_a_handler(service: Service):
    assert service.types.named(DEFAULT_TYPE).type == DEFAULT
    assert not service.types.is_live(DEFAULT_TYPE)


def test_a_published_default_replaces_the_built_in_one(service: Service):
    service.publish(TaskType(name=DEFAULT_TYPE, description="Mine."))
    assert service.types.named(DEFAULT_TYPE).type.description == "Mine."
    assert service.types.is_live(DEFAULT_TYPE)


def test_the_storage_is_asked_at_most_once_a_second(service: Service):
    for _ in range(10):
        service.types.all()
        service.clock.move(0.0999)
    assert service.begun == 1
    service.clock.move(0.001)
    service.types.all()
    assert service.begun == 2


def test_a_type_is_known_a_second_after_it_was_published(service: Service):
    with pytest.raises(UnknownType):
        service.types.named(ADD.name)
    service.publish(ADD)
    assert service.types.named(ADD.name).type == ADD


def test_a_type_outlives_its_handlers(service: Service):
    service.publish(ADD, seconds=30)
    assert service.types.is_live(ADD.name)
    service.clock.move(31)
    assert not service.types.is_live(ADD.name)
    assert service.types.named(ADD.name).type == ADD


def test_an_unknown_type_is_not_live(service: Service):
    assert not service.types.is_live(TypeName("gone"))


def test_known_types_stay_known_while_the_storage_is_away(service: Service):
    service.publish(ADD)
    service.types.all()
    service.away = True
    service.clock.move(10)
    assert service.types.named(ADD.name).type == ADD


def test_without_known_types_an_outage_is_raised(service: Service):
    service.away = True
    with pytest.raises(StorageUnavailable):
        service.types.all()
    service.away = False
    service.clock.move(MAX_AGE_SECONDS)
    assert DEFAULT_TYPE in service.types.all()


def test_an_outage_is_raised_again_without_another_query(service: Service):
    service.away = True
    for _ in range(3):
        with pytest.raises(StorageUnavailable):
            service.types.all()
    assert service.begun == 1


def test_a_call_during_a_query_is_answered_with_the_known_types(service: Service):
    asked, may_answer = Event(), Event()
    may_answer.set()

    def slow() -> AbstractContextManager[MemoryUnitOfWork]:
        asked.set()
        may_answer.wait(20)
        return service.begin()

    types = KnownTypes(slow, service.clock)
    types.all()
    service.clock.move(2)
    asked.clear()
    may_answer.clear()
    with ThreadPoolExecutor(1) as other:
        answer = other.submit(types.all)
        assert asked.wait(20)
        assert DEFAULT_TYPE in types.all()
        assert not answer.done()
        may_answer.set()


def test_an_abandoned_type_is_known_but_not_offered(service: Service):
    service.publish(ADD)
    assert [type.name for type in service.types.offered()] == [DEFAULT_TYPE, ADD.name]
    service.publish(TaskType(name=TypeName("sub")))
    assert [type.name for type in service.types.offered()] == [DEFAULT_TYPE, "sub"]
    assert service.types.named(ADD.name).type == ADD
