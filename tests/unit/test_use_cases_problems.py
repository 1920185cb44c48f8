"""Problems of a situation, over memory."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application.ports.limits import LimitedClaimRequest
from application.ports.monitoring import JANITOR_SILENCE, HandlerInfo, JanitorRecord
from application.ports.queue import ClaimedRecord
from application.use_cases.find_problems import MAX_DUE_AGE, SILENCE_SHOWN, Problem, Subject, find_problems
from application.use_cases.view_situation import FLOW_AGE
from domain.ids import HandlerId, JanitorId, Lane, TypeName
from domain.instants import after
from domain.lease import Lease
from domain.limits import Limits, Override
from domain.task_type import TaskType
from tests import steps
from tests.unit.http_service import Service
from tests.unit.pages_service import service_with_events

LEASE_SECONDS = 30.0


@pytest.fixture
def service() -> Service:
    """A service in which all is well: a handler with two children lives, and so does a janitor."""
    service = Service()
    renew_janitor(service, "janitor")
    publish(service, "handler")
    return service


def publish(service: Service, id: str, *types: str | TaskType, seconds: float = 1e6) -> None:
    now = service.clock.now()
    info = HandlerInfo(host="host", pid=7, started=now, concurrency=2)
    given = types or ("add",)
    named = [each if isinstance(each, TaskType) else TaskType(name=TypeName(each)) for each in given]
    with service.store.begin() as work:
        work.types.publish(HandlerId(id), named, after(now, seconds), "boot 1", LEASE_SECONDS, info)
        work.commit()


def renew_janitor(service: Service, id: str) -> None:
    now = service.clock.now()
    with service.store.begin() as work:
        work.monitoring.renew_janitor(JanitorRecord(id=JanitorId(id), host="host", pid=8, started=now, last_seen=now))
        work.commit()


def add(service: Service, type: str = "add", number: int = 1) -> None:
    for _ in range(number):
        steps.add(service.storage, steps.submission(type, now=service.clock.now()))


def claim(service: Service, handler: str = "handler", number: int = 1) -> None:
    now = service.clock.now()
    steps.claim(service.storage, number, now=now, wanted={"add": number}, handler=handler, starting=number)


def limit(service: Service, type: str = "add", **limits: Any) -> None:
    with service.store.begin() as work:
        work.limits.set(TypeName(type), Override(limits))
        work.commit()


def claim_limited(service: Service) -> Sequence[ClaimedRecord]:
    now = service.clock.now()
    request = LimitedClaimRequest([TypeName("add")], 1, 10**9)
    return service.storage.autocommit.claim_limited(Lease.granted(HandlerId("handler"), now, 1e6), now, request).claimed


def found(service: Service) -> Mapping[Problem, Sequence[Subject]]:
    """The problems, read anew."""
    service.clock.move(2)
    return find_problems(service.container.view_situation()())


def move(service: Service, time: timedelta) -> None:
    """Let time pass in which the janitor lives."""
    service.clock.move(time.total_seconds())
    renew_janitor(service, "janitor")


def test_a_service_that_works_has_no_problem(service: Service):
    add(service, number=3)
    claim(service)
    assert found(service) == {}


def test_a_service_without_a_handler_that_claims_has_a_problem(service: Service):
    add(service, number=3)
    with service.store.begin() as work:
        work.types.renew(HandlerId("handler"), service.clock.now() + timedelta(days=1), is_draining=True)
        work.commit()
    assert found(service) == {Problem.NO_HANDLER: [Subject(number=3)]}


def test_a_type_with_waiting_tasks_and_no_live_handler_is_a_problem(service: Service):
    publish(service, "other", "gone", "idle", seconds=1)
    since = service.clock.now()
    add(service, "gone", number=2)
    problems = found(service)
    assert problems[Problem.NO_HANDLER_OF_TYPE] == [Subject("gone", 2, since)]


def test_a_due_task_is_overdue_once_it_has_waited_long_beside_an_idle_child(service: Service):
    since = service.clock.now()
    add(service, number=3)
    claim(service)
    move(service, MAX_DUE_AGE - timedelta(seconds=2))
    assert found(service) == {}
    assert found(service) == {Problem.OVERDUE: [Subject("add", 1, since)]}
    claim(service)
    assert found(service) == {}


def test_a_due_task_of_a_type_that_the_idle_handler_lacks_is_not_overdue(service: Service):
    publish(service, "other", "sub")
    add(service, number=3)
    claim(service, number=2)
    move(service, MAX_DUE_AGE * 2)
    assert found(service) == {}


@pytest.mark.parametrize("limits", [{"paused": True}, {"at_once": 0}, {"at_once": 1}, {"per_second": 0.001}])
def test_a_due_task_that_a_limit_holds_back_is_not_overdue(service: Service, limits: dict[str, Any]):
    limit(service, **limits)
    add(service, number=3)
    claim_limited(service)
    move(service, MAX_DUE_AGE * 2)
    assert found(service) == {}


def test_a_due_task_of_a_type_of_which_a_lane_is_full_is_not_overdue(service: Service):
    publish(service, "handler", TaskType(name=TypeName("add"), limits=Limits(lane="user", at_once_per_lane=1)))
    now = service.clock.now()
    steps.add(service.storage, *[steps.submission("add", now=now, lane=Lane("a"))] * 3)
    claim_limited(service)
    move(service, MAX_DUE_AGE * 2)
    assert found(service) == {}


def test_a_due_task_of_a_type_with_limits_that_have_room_is_overdue(service: Service):
    limit(service, at_once=4, per_second=10)
    since = service.clock.now()
    add(service, number=3)
    move(service, MAX_DUE_AGE * 2)
    assert found(service) == {Problem.OVERDUE: [Subject("add", 2, since)]}


def test_a_limit_that_is_lifted_holds_nothing_back(service: Service):
    limit(service, at_once=None, accepting=False)
    add(service, number=3)
    move(service, MAX_DUE_AGE * 2)
    assert Problem.OVERDUE in found(service)


def test_a_type_with_limits_of_which_a_task_has_just_ended_is_not_overdue():
    service = service_with_events(datetime(2026, 3, 4, 12, tzinfo=UTC))
    publish(service, "handler")
    limit(service, at_once=1)
    add(service, number=3)
    move(service, MAX_DUE_AGE * 10)
    (claimed,) = claim_limited(service)
    steps.succeed(service.storage, claimed.task, service.clock.now())
    assert found(service) == {}
    move(service, FLOW_AGE * 4)
    assert Problem.OVERDUE in found(service)


def test_a_type_without_limits_is_overdue_though_a_task_of_it_has_just_ended():
    service = service_with_events(datetime(2026, 3, 4, 12, tzinfo=UTC))
    publish(service, "handler", "add", "sub")
    limit(service, "sub", at_once=1)
    add(service, number=3)
    move(service, MAX_DUE_AGE * 10)
    claimed = steps.claim_one(service.storage, now=service.clock.now())
    steps.succeed(service.storage, claimed, service.clock.now())
    assert Problem.OVERDUE in found(service)


def test_a_service_without_a_live_janitor_has_a_problem(service: Service):
    last_seen = service.clock.now()
    service.clock.move(JANITOR_SILENCE.total_seconds())
    assert found(service) == {Problem.NO_JANITOR: [Subject(since=last_seen)]}


def test_a_silent_janitor_beside_a_live_one_is_a_problem_for_an_hour(service: Service):
    renew_janitor(service, "second")
    last_seen = service.clock.now()
    move(service, JANITOR_SILENCE)
    assert found(service) == {Problem.SILENT_JANITOR: [Subject("second", since=last_seen)]}
    move(service, SILENCE_SHOWN)
    assert found(service) == {}


def test_a_silent_handler_is_a_problem_for_an_hour(service: Service):
    publish(service, "second", seconds=LEASE_SECONDS)
    last_seen = service.clock.now()
    move(service, timedelta(minutes=1))
    assert found(service) == {Problem.SILENT_HANDLER: [Subject("second", 0, last_seen)]}
    move(service, SILENCE_SHOWN)
    assert found(service) == {}


def test_a_silent_handler_is_a_problem_as_long_as_it_holds_tasks(service: Service):
    add(service, number=2)
    claim(service, "unknown")
    claim(service)
    move(service, SILENCE_SHOWN)
    assert found(service) == {Problem.SILENT_HANDLER: [Subject("unknown", 1, None)]}
