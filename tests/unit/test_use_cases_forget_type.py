"""Forget one type at once: an unknown type and one that is used are refused with the reason."""

import pytest

from application.errors import TypeInUse, UnknownType
from application.use_cases.forget_type import ForgetType
from domain.ids import TypeName
from domain.task_type import TaskType
from tests.unit.memory_service import Service

OLD = TaskType(name=TypeName("old"))


@pytest.fixture
def service() -> Service:
    service = Service()
    service.publish(OLD)
    return service


def forget(service: Service) -> None:
    ForgetType(service.begin, service.clock, service.types)(OLD.name)


def test_a_type_that_nothing_has_is_forgotten(service: Service):
    service.clock.move(60)
    forget(service)
    assert OLD.name not in service.store.state.types


def test_a_live_handler_keeps_its_types(service: Service):
    with pytest.raises(TypeInUse, match=r"^type old cannot be forgotten: a live handler has it"):
        forget(service)


def test_a_task_keeps_its_type(service: Service):
    service.submit("old")
    service.clock.move(60)
    with pytest.raises(TypeInUse, match="1 of its tasks are kept"):
        forget(service)


def test_an_unknown_type_cannot_be_forgotten(service: Service):
    service.clock.move(60)
    forget(service)
    service.clock.move(2)
    with pytest.raises(UnknownType):
        forget(service)
