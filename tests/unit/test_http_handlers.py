"""GET /handlers, and the oldest due task in GET /types."""

from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest

from application.ports.monitoring import JANITOR_SILENCE, HandlerInfo, JanitorRecord
from application.use_cases.list_handlers import MAX_RUNNING_SHOWN, MAX_SILENT_SHOWN
from domain.ids import HandlerId, JanitorId, TypeName
from domain.instants import after
from domain.task_type import TaskType
from entrypoints.http.openapi.schemas import SCHEMAS
from tests import steps
from tests.unit.http_service import Service

ADD = TaskType(name=TypeName("add"))


@pytest.fixture
def service() -> Service:
    service = Service()
    service.publish("add")
    service.withdraw("add")
    return service


def publish(service: Service, id: str, *types: TaskType, seconds: float = 30) -> None:
    now = service.clock.now()
    info = HandlerInfo(host="hôst", pid=7, started=now, concurrency=2)
    with service.store.begin() as work:
        work.types.publish(HandlerId(id), types, after(now, seconds), "boot 1", 30, info)
        work.commit()


def claim(service: Service, handler: str, limit: int = 100, starting: int = 1000) -> None:
    now = service.clock.now()
    steps.claim(service.storage, limit, now=now, wanted={"add": 1000}, handler=handler, starting=starting)


def listed(service: Service) -> dict[str, Any]:
    """Return the answer, which is another one at the earliest a second later."""
    service.clock.move(1)
    answer = service.client.get("/handlers")
    assert answer.status_code == 200, answer.text
    schema = {"$ref": "#/components/schemas/Processes", "components": {"schemas": SCHEMAS}}
    jsonschema_rs.validator_for(schema).validate(answer.get_json())
    return answer.get_json()


def handlers(service: Service) -> list[dict[str, Any]]:
    return listed(service)["handlers"]


def test_a_service_without_handlers_and_janitors_lists_none(service: Service) -> None:
    assert listed(service) == {"handlers": [], "janitors": []}


def test_a_handler_is_listed_with_what_it_runs_and_since_when(service: Service) -> None:
    publish(service, "one", ADD)
    started = service.clock.now().timestamp()
    service.submit({}, "/task/new/add")
    service.submit({}, "/task/new/add")
    claim(service, "one", starting=1)
    assert handlers(service) == [
        {
            "id": "one",
            "state": "live",
            "host": "hôst",
            "pid": 7,
            "started": started,
            "last_seen": started,
            "concurrency": 2,
            "idle": 1,
            "types": ["add"],
            "running": [{"id": 1, "type": "add", "started": started, "progress": None}],
            "running_count": 1,
            "claimed_count": 1,
        }
    ]


def test_a_handler_of_an_older_version_is_listed_with_nulls(service: Service) -> None:
    service.publish("add")
    (handler,) = handlers(service)
    nulls = {name for name, value in handler.items() if value is None}
    assert nulls == {"host", "pid", "started", "last_seen", "concurrency", "idle"}
    assert (handler["id"], handler["state"], handler["types"]) == ("handler of add", "live", ["add"])


def test_a_handler_with_more_outcomes_to_write_than_slots_has_no_idle_slot(service: Service) -> None:
    publish(service, "one", ADD)
    for _ in range(3):
        service.submit({}, "/task/new/add")
    claim(service, "one")
    assert [(each["running_count"], each["idle"]) for each in handlers(service)] == [(3, 0)]


def test_the_running_tasks_of_a_handler_are_bounded_and_counted(service: Service) -> None:
    publish(service, "one", ADD)
    now = service.clock.now()
    steps.add(service.storage, *[steps.submission("add", now=now)] * (MAX_RUNNING_SHOWN + 2))
    claim(service, "one", MAX_RUNNING_SHOWN + 2)
    (handler,) = handlers(service)
    assert [each["id"] for each in handler["running"]] == list(range(1, MAX_RUNNING_SHOWN + 1))
    assert handler["running_count"] == MAX_RUNNING_SHOWN + 2


def test_a_draining_handler_and_a_silent_one_are_told_from_a_live_one(service: Service) -> None:
    for id in ("a", "b", "c"):
        publish(service, id, ADD, seconds=5 if id == "b" else 30)
    with service.store.begin() as work:
        work.types.renew(HandlerId("a"), after(service.clock.now(), 30), is_draining=True)
        work.commit()
    service.clock.move(5)
    states = [(each["id"], each["state"]) for each in handlers(service)]
    assert states == [("a", "draining"), ("c", "live"), ("b", "silent")]


def test_silent_handlers_are_bounded(service: Service) -> None:
    for n in range(MAX_SILENT_SHOWN + 5):
        publish(service, f"{n}", ADD, seconds=1)
    publish(service, "live", ADD)
    service.clock.move(2)
    assert len(handlers(service)) == MAX_SILENT_SHOWN + 1


def test_a_handler_whose_record_is_gone_is_listed_while_it_holds_tasks(service: Service) -> None:
    service.submit({}, "/task/new/add")
    claim(service, "gone")
    (handler,) = handlers(service)
    assert (handler["id"], handler["state"], handler["types"]) == ("gone", "silent", [])
    assert [each["id"] for each in handler["running"]] == [1]


def test_janitors_are_listed_with_their_last_signs_of_life(service: Service) -> None:
    now = service.clock.now()
    live = JanitorRecord(id=JanitorId("two"), host="hôst", pid=8, started=now, last_seen=now)
    with service.store.begin() as work:
        work.monitoring.renew_janitor(live)
        work.monitoring.renew_janitor(replace(live, id=JanitorId("one"), last_seen=now - JANITOR_SILENCE))
        work.commit()
    first, second = listed(service)["janitors"]
    assert first == {
        "id": "two",
        "state": "live",
        "host": "hôst",
        "pid": 8,
        "started": now.timestamp(),
        "last_seen": now.timestamp(),
    }
    assert (second["id"], second["state"]) == ("one", "silent")


def test_the_storage_is_read_at_most_once_a_second(service: Service) -> None:
    listed(service)
    publish(service, "one", ADD)
    service.clock.move(0.9)
    assert service.client.get("/handlers").get_json()["handlers"] == []
    service.clock.move(0.1)
    assert len(service.client.get("/handlers").get_json()["handlers"]) == 1


def test_an_unavailable_storage_is_503_and_no_older_answer(service: Service) -> None:
    listed(service)
    service.away = True
    service.clock.move(1)
    assert service.client.get("/handlers").status_code == 503
    service.away = False
    listed(service)


def oldest_due(service: Service) -> dict[str, float | None]:
    service.clock.move(1)
    return {each["name"]: each["oldest_due"] for each in service.client.get("/types").get_json()["types"]}


class TestOldestDue:
    def test_each_type_has_the_time_from_which_on_its_oldest_due_task_may_start(self, service: Service) -> None:
        start = service.clock.now().timestamp()
        service.submit({}, "/task/new/add?delay=3")
        service.submit({}, "/task/new/add?delay=2&priority=-5")
        service.submit({}, "/task/new/add?delay=9&priority=5")
        assert oldest_due(service) == {"add": None, "default": None}
        assert oldest_due(service) == {"add": start + 2, "default": None}
        service.clock.move(5)
        assert oldest_due(service) == {"add": start + 2, "default": None}

    def test_a_claimed_task_is_due_no_more(self, service: Service) -> None:
        service.submit({}, "/task/new/add")
        assert oldest_due(service)["add"] is not None
        claim(service, "one")
        assert oldest_due(service)["add"] is None

    def test_the_storage_is_read_at_most_once_a_second(self, service: Service) -> None:
        assert oldest_due(service)["add"] is None
        service.submit({}, "/task/new/add")
        (add, _) = service.client.get("/types").get_json()["types"]
        assert add["oldest_due"] is None
        assert oldest_due(service)["add"] is not None

    def test_while_the_storage_is_away_the_last_answer_stands_as_that_of_the_types_does(self, service: Service) -> None:
        service.submit({}, "/task/new/add")
        before = oldest_due(service)
        service.away = True
        assert oldest_due(service) == before != {"add": None, "default": None}
