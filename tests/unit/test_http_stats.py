"""GET /stats: the counts of events by type and step."""

from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
import pytest

from adapters.clocks.manual import ManualClock
from adapters.memory import MemoryStore
from application.use_cases.view_statistics import MAX_STEPS
from domain.histogram import bucket_of
from entrypoints.http.openapi.schemas import SCHEMAS
from entrypoints.http.routes.stats import EXAMPLE
from tests import steps
from tests.unit.http_service import Service

NOON = datetime(2026, 3, 4, 12, 0, 30, tzinfo=UTC)
WHOLE_HOUR = {"since": int(NOON.timestamp()) - 30 - 3600, "until": int(NOON.timestamp()) - 30}


@pytest.fixture
def service() -> Service:
    clock = ManualClock(NOON)
    return Service(clock=clock, store=MemoryStore(now=clock.now))


def ran(service: Service, type: str, waited: float, took: float) -> None:
    """A task of that type was submitted, waited and ran; all of it is counted now."""
    now = service.clock.now()
    steps.add(service.storage, steps.submission(type, now=now))
    start = now.timestamp() + waited
    task = steps.claim_one(service.storage, now=datetime.fromtimestamp(start, UTC), wanted={type: 1})
    steps.succeed(service.storage, task, datetime.fromtimestamp(start + took, UTC))


def stats(service: Service, **query: Any) -> dict[str, Any]:
    answer = service.client.get("/stats", query_string=query)
    assert answer.status_code == 200, answer.text
    check_form(answer.get_json())
    return answer.get_json()


def check_form(answer: object) -> None:
    schema = {"$ref": "#/components/schemas/Stats", "components": {"schemas": SCHEMAS}}
    jsonschema_rs.validator_for(schema).validate(answer)


def errors(service: Service, **query: Any) -> Any:
    answer = service.client.get("/stats", query_string=query)
    assert answer.status_code == 422, answer.text
    return answer.get_json()["errors"]["query"]


def test_the_example_of_the_document_has_the_form_of_an_answer() -> None:
    check_form(EXAMPLE)


def test_the_default_is_the_last_hour_by_minutes(service: Service) -> None:
    ran(service, "add", waited=2, took=10)
    seen = stats(service)
    assert (seen["since"], seen["until"], seen["step"]) == (
        NOON.timestamp() - 30 - 3600,
        NOON.timestamp() + 30,
        60,
    )
    (add,) = seen["types"]
    assert add["type"] == "add"
    assert add["submitted"] == add["started"] == add["done"] == [0] * 60 + [1]
    assert add["failed"] == add["cancelled"] == add["retried"] == add["lost"] == [0] * 61
    assert add["wait_median"] == [None] * 60 + [pytest.approx(2, rel=0.2)]
    assert add["run_p99"] == [None] * 60 + [pytest.approx(10, rel=0.2)]
    assert seen["total"] == {name: column for name, column in add.items() if name != "type"}


def test_a_period_has_its_own_steps(service: Service) -> None:
    ran(service, "add", waited=1, took=1)
    service.clock.move(3600)
    seen = stats(service, **WHOLE_HOUR, step=1200)
    assert (seen["since"], seen["until"], seen["step"]) == (*WHOLE_HOUR.values(), 1200)
    assert seen["total"]["done"] == [0, 0, 0]
    seen = stats(service, since=WHOLE_HOUR["until"], step=1800)
    assert seen["total"]["done"] == [1, 0, 0]


def test_a_type_can_be_viewed_alone(service: Service) -> None:
    ran(service, "a", waited=1, took=1)
    ran(service, "b", waited=1, took=1)
    assert [each["type"] for each in stats(service)["types"]] == ["a", "b"]
    seen = stats(service, type="b")
    assert [each["type"] for each in seen["types"]] == ["b"]
    assert sum(seen["total"]["done"]) == 1
    assert stats(service, type="c")["types"] == []


def test_histograms_are_added_if_wanted(service: Service) -> None:
    for took in (10, 10, 100):
        ran(service, "add", waited=3, took=took)
    total = stats(service, histograms="true")["total"]
    assert total["wait_histograms"][-1] == {str(bucket_of(3)): 3}
    assert total["run_histograms"][-1] == {str(bucket_of(10)): 2, str(bucket_of(100)): 1}
    assert total["run_histograms"][0] == {}
    for query in ({}, {"histograms": "false"}):
        assert "run_histograms" not in stats(service, **query)["total"]


@pytest.mark.parametrize(
    ("query", "parameter", "error"),
    [
        ({"period": "hour"}, "period", "Unknown parameter."),
        ({"since": "yesterday"}, "since", "Not a valid number."),
        ({"until": "-1"}, "until", "Must be greater than or equal to 0 and less than or equal to 253370764800.0."),
        ({"step": "90"}, "step", "Must be a multiple of 60."),
        ({"step": "0"}, "step", "Must be greater than or equal to 60 and less than or equal to 86400."),
        ({"step": "86460"}, "step", "Must be greater than or equal to 60 and less than or equal to 86400."),
        ({"type": "a" * 201}, "type", "Length must be between 1 and 200."),
        ({"type": "a\0"}, "type", "String does not match expected pattern."),
        ({"histograms": "yes"}, "histograms", "Not a valid boolean."),
        ({"since": NOON.timestamp()}, "since", "Must be before until, or before now if that is not given."),
        ({"since": 9, "until": 8}, "since", "Must be before until, or before now if that is not given."),
        ({"since": 0}, "step", f"Must be so long that the period has at most {MAX_STEPS} steps."),
        ({"since": 0, "until": 90_060, "step": 60}, "step", "Must be so long that the period has at most 1500 steps."),
    ],
)
def test_wrong_parameters_are_refused(service: Service, query: dict[str, Any], parameter: str, error: str) -> None:
    assert errors(service, **query) == {parameter: [error]}


def test_the_greatest_number_of_steps_is_answered(service: Service) -> None:
    assert len(stats(service, since=0, until=90_000, step=60)["total"]["done"]) == MAX_STEPS
