"""GET /task/{id}/log: output and tracebacks of the starts of a task."""

from collections.abc import Sequence

import jsonschema_rs
import pytest

from application.errors import UnknownTask
from application.ports.task_repository import MAX_ATTEMPTS_SHOWN
from domain.failure import Failure
from domain.ids import TaskId
from domain.settlement import RunningLog, Settlement
from domain.task import Task
from entrypoints.http.openapi.schemas import SCHEMAS
from tests import steps
from tests.unit.http_service import Service

NOW = 1767268800  # 2026-01-01 12:00 UTC, the time of the manual clock


@pytest.fixture
def service() -> Service:
    service = Service()
    service.submit({})
    return service


def started(service: Service) -> Task:
    """Claim the next task, and report its start."""
    return service.claim().reported(service.clock.now(), None)


def log(service: Service) -> Sequence[dict[str, object]]:
    answer = service.client.get("/task/1/log")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert jsonschema_rs.validator_for(document(service)).is_valid(answer.get_json())
    assert answer.get_json()["id"] == 1
    return answer.get_json()["attempts"]


def print_so_far(service: Service, task: Task, log: str) -> None:
    """Store the output of a running task."""
    service.storage.autocommit.report_logs([RunningLog.of(task, service.clock.now(), log)])


def document(service: Service) -> dict[str, object]:
    return {**SCHEMAS["Log"], "components": service.client.get("/openapi.json").get_json()["components"]}


def test_a_task_that_printed_nothing_and_did_not_fail_has_an_empty_log(service: Service) -> None:
    assert log(service) == []
    service.succeed("1")
    assert log(service) == []


def test_a_failed_start_has_its_output_and_its_traceback(service: Service) -> None:
    task = started(service)
    service.clock.move(0.25)
    failure = Failure("ValueError", 'no "x"', traceback="Traceback …\n")
    settlement = Settlement.failed(task, service.clock.now(), failure, steps.PLAIN, 0, "käse \0 \x1b[0m 😀\n")
    steps.settle(service.storage, settlement)
    assert log(service) == [
        {
            "claim": 1,
            "attempt": 1,
            "outcome": "failed",
            "started": NOW,
            "ended": NOW + 0.25,
            "error": 'ValueError: no "x"',
            "traceback": "Traceback …\n",
            "log": "käse \0 \x1b[0m 😀\n",
        }
    ]


def test_a_successful_start_has_its_output_and_no_error(service: Service) -> None:
    task = service.claim()
    steps.settle(service.storage, Settlement.succeeded(task, service.clock.now(), "1", "hello\n"))
    (attempt,) = log(service)
    assert (attempt["outcome"], attempt["log"]) == ("done", "hello\n")
    assert (attempt["error"], attempt["traceback"], attempt["started"]) == (None, None, NOW)


def test_a_running_start_that_has_printed_has_its_output_so_far(service: Service) -> None:
    task = started(service)
    assert log(service) == []
    service.clock.move(2)
    print_so_far(service, task, "käse \0 \x1b[0m 😀\n")
    assert log(service) == [
        {
            "claim": 1,
            "attempt": 1,
            "outcome": "running",
            "started": NOW,
            "ended": None,
            "error": None,
            "traceback": None,
            "log": "käse \0 \x1b[0m 😀\n",
        }
    ]
    steps.settle(service.storage, Settlement.succeeded(task, service.clock.now(), "1", "the whole"))
    (attempt,) = log(service)
    assert (attempt["outcome"], attempt["ended"], attempt["log"]) == ("done", NOW + 2, "the whole")


def test_starts_are_listed_oldest_first_up_to_the_limit(service: Service) -> None:
    service.submit({}, "/task/new?priority=9&max_attempts=99")
    for n in range(MAX_ATTEMPTS_SHOWN + 2):
        failure = Failure("E", "e", delay=0)
        settlement = Settlement.failed(started(service), service.clock.now(), failure, steps.PLAIN, 0, str(n))
        steps.settle(service.storage, settlement)
    attempts = service.client.get("/task/2/log").get_json()["attempts"]
    assert [each["log"] for each in attempts] == [str(n) for n in range(2, MAX_ATTEMPTS_SHOWN + 2)]


def test_the_log_of_an_unknown_task_is_404(service: Service) -> None:
    assert service.client.get("/task/7/log").get_json()["message"] == "task id 7 is not registered"
    with pytest.raises(UnknownTask):
        service.container.view_log()(TaskId(7))


def test_the_log_is_503_with_retry_after_while_the_database_is_unavailable(service: Service) -> None:
    service.away = True
    answer = service.client.get("/task/1/log")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
