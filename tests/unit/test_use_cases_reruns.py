"""Runs again: the new task is linked with its origin, once however often it is asked for."""

import pytest

from application.submissions import TaskRequest
from application.use_cases.find_reruns import MAX_RERUNS_SHOWN, Lineage
from domain.ids import IdempotencyKey, TaskId, TypeName
from tests.unit.memory_service import Service


@pytest.fixture
def service() -> Service:
    return Service()


def rerun(service: Service, origin: int, key: str | None = None, **args: int) -> TaskId:
    request = TaskRequest(type=TypeName("default"), args=args, key=key and IdempotencyKey(key))  # type: ignore[arg-type]
    return service.api.submit_task()(request, TaskId(origin)).view.task.id


def lineage(service: Service, task: int) -> Lineage:
    return service.api.find_reruns()(TaskId(task))


def test_a_task_that_runs_another_again_is_linked_with_it(service: Service):
    first = service.submit().task.id
    second = rerun(service, first)
    assert lineage(service, first) == Lineage(None, [second])
    assert lineage(service, second) == Lineage(first, [])


def test_a_repeated_run_again_is_linked_once(service: Service):
    first = service.submit().task.id
    assert rerun(service, first, "key") == rerun(service, first, "key")
    assert len(lineage(service, first).reruns) == 1


def test_handlers_are_told_of_a_task_that_runs_another_again(service: Service):
    first = service.submit().task.id
    service.told.clear()
    rerun(service, first)
    assert service.told


def test_the_newest_reruns_are_named_and_that_there_are_more(service: Service):
    first = service.submit().task.id
    ids = [rerun(service, first) for _ in range(MAX_RERUNS_SHOWN + 1)]
    assert lineage(service, first) == Lineage(None, ids[:0:-1], has_more=True)


def test_a_task_that_does_not_exist_has_no_lineage(service: Service):
    assert lineage(service, 7) == Lineage(None, [])
