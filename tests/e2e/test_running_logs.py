"""The log of a task is readable while it runs, through real processes."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pytest

from tests.e2e.service import Service, eventually
from tests.e2e.test_logs import log

MAX_AGE_SECONDS = 2.0
MAX_RUNNING_CHARACTERS = 16 * 1024 + 1
MAX_CHARACTERS = 64 * 1024 + 1


@pytest.fixture
def chattering(service: Service) -> Iterator[int]:
    """The id of a task that prints the time on and on."""
    id = service.submit("chatters")["id"]
    yield id
    service.client.post(f"/task/{id}/cancel")


def running_log(service: Service, id: int) -> str | None:
    """The output so far of a task that runs; None while it is not known."""
    attempts = log(service, id)
    if not attempts:
        return None
    (attempt,) = attempts
    assert (attempt["outcome"], attempt["ended"], attempt["error"]) == ("running", None, None)
    return attempt["log"]


def last_printed(log: str) -> float:
    """The time in the last line."""
    return float(log.splitlines()[-1].removeprefix("at "))


def log_events(service: Service, id: int) -> Iterator[dict[str, Any]]:
    """The events of that task that say that its log has changed."""
    with httpx.stream("GET", f"{service.client.base_url}/task/{id}/events", timeout=30) as answer:
        name = ""
        for line in answer.iter_lines():
            field, _, value = line.partition(": ")
            name = value if field == "event" else name if line else ""
            if field == "data" and name == "log":
                yield json.loads(value)


def test_a_printed_line_is_readable_within_two_seconds(service: Service, chattering: int):
    eventually(lambda: running_log(service, chattering))
    ages = []
    for _ in range(40):
        ages.append(time.time() - last_printed(running_log(service, chattering) or ""))
        time.sleep(0.1)
    assert median(ages) < MAX_AGE_SECONDS
    assert service.view(chattering)["status"] == "running"


def test_an_event_tells_of_new_output_within_two_seconds(service: Service, chattering: int):
    ages = []
    for _, event in zip(range(4), log_events(service, chattering), strict=False):
        assert event == {"id": chattering, "claim": 1}
        ages.append(time.time() - last_printed(running_log(service, chattering) or ""))
    assert median(ages) < MAX_AGE_SECONDS


def test_a_client_that_reads_the_task_alone_is_not_disturbed(service: Service, chattering: int):
    from flask_tasks import Client

    eventually(lambda: running_log(service, chattering))
    with Client(str(service.client.base_url)) as client:
        shown = client.events(chattering)
        assert next(shown).status == "running"
        (attempt,) = client.log(chattering)
        assert (attempt.outcome, attempt.ended) == ("running", None)
        client.cancel(chattering)
        assert [task.status for task in shown] == ["cancelled"]


def test_the_end_of_a_task_replaces_its_output_so_far_by_the_whole(service: Service):
    task = service.run("chatters", {"seconds": 1.5})
    (attempt,) = log(service, task["id"])
    assert (attempt["outcome"], attempt["ended"]) == ("done", task["finished"])
    assert len(attempt["log"].splitlines()) == 5


def test_the_log_of_a_cancelled_task_becomes_whole(service: Service, chattering: int):
    eventually(lambda: running_log(service, chattering))
    service.client.post(f"/task/{chattering}/cancel")
    cancelled_at = time.time()
    (attempt,) = eventually(lambda: [each for each in log(service, chattering) if each["outcome"] == "cancelled"])
    assert attempt["ended"]
    eventually(lambda: last_printed(log(service, chattering)[0]["log"]) > cancelled_at - 0.5)


def test_a_flood_stays_bounded_while_it_goes_on_and_when_it_is_ended(service: Service):
    id = service.submit("floods_for_ever")["id"]
    seen = {eventually(lambda: running_log(service, id))}
    while len(seen) < 3:
        seen.add(running_log(service, id) or "")
        assert service.run("echo", {"a": 1})["status"] == "done", "another task runs beside it"
    assert {len(each) for each in seen} == {MAX_RUNNING_CHARACTERS}
    assert service.client.post(f"/task/{id}/cancel").json()["status"] == "cancelled"
    eventually(lambda: len(log(service, id)[0]["log"]) == MAX_CHARACTERS)


def test_binary_output_is_readable(service: Service):
    id = service.submit("writes_binary")["id"]
    text = eventually(lambda: running_log(service, id))
    assert text == (bytes(range(256)) * 4).decode(errors="replace")
    service.client.post(f"/task/{id}/cancel")


def test_the_output_of_a_handler_that_was_killed_is_kept_as_far_as_it_was_stored(
    new_service: Callable[..., Service],
):
    service = new_service(TASKS=str(Path(__file__).parent / "functions.py"))
    service.start("http")
    handler = service.start("handler")
    service.await_ready("chatters")
    id = service.submit("chatters")["id"]
    eventually(lambda: len((running_log(service, id) or "").splitlines()) >= 3)
    handler.kill()
    handler.wait()
    killed_at = time.time()
    service.start("handler")
    lost, again = eventually(lambda: attempts if len(attempts := log(service, id)) == 2 else None)
    assert (lost["claim"], lost["outcome"], again["outcome"]) == (1, "lost", "running")
    assert "was lost" in lost["error"]
    assert killed_at - last_printed(lost["log"]) < MAX_AGE_SECONDS + 0.5
    assert service.view(id)["status"] == "running"
