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


def test_a_published_default_takes_the_place_of_the_one_that_is_always_known(service: Service):
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


def test_a_type_that_nobody_knows_does_not_live(service: Service):
    assert not service.types.is_live(TypeName("gone"))


def test_what_was_known_still_is_while_the_storage_is_away(service: Service):
    service.publish(ADD)
    service.types.all()
    service.away = True
    service.clock.move(10)
    assert service.types.named(ADD.name).type == ADD


def test_who_knows_nothing_yet_is_told_that_the_storage_is_away(service: Service):
    service.away = True
    with pytest.raises(StorageUnavailable):
        service.types.all()
    service.away = False
    service.clock.move(MAX_AGE_SECONDS)
    assert DEFAULT_TYPE in service.types.all()


def test_and_so_is_whoever_asks_next_without_asking_the_storage(service: Service):
    service.away = True
    for _ in range(3):
        with pytest.raises(StorageUnavailable):
            service.types.all()
    assert service.begun == 1


def test_who_asks_meanwhile_gets_what_is_known_and_does_not_wait(service: Service):
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
