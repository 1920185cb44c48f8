"""Callbacks through real processes: sent when a task has finished, signed, and not lost with a killed janitor."""

import json
import signal
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook

from adapters.postgres import Database
from tests.e2e.service import Service, eventually
from tests.receiver import Receiver, receiving

SECRET = "whsec_" + b64encode(b"s" * 24).decode()
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
HERE = {"WEBHOOK_SECRET": SECRET, "WEBHOOK_NETWORKS": "127.0.0.1"}
FUNCTIONS = """
from flask_tasks import task

@task(callback="{url}/of-the-type")
def told(a: int) -> int:
    return a + 1
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def service(new_service: Callable[..., Service], receiver: Receiver, tmp_path: Path) -> Service:
    """API and handler; a test starts the janitor itself."""
    functions = tmp_path / "told.py"
    functions.write_text(FUNCTIONS.format(url=receiver.url))
    service = new_service(TASKS=f"tasks/tasks.py,{functions}", **HERE)
    service.start("http")
    service.start("handler")
    service.await_ready("default", "told")
    return service


def test_a_callback_carries_the_view_of_its_task_and_can_be_verified(service: Service, receiver: Receiver):
    service.start("janitor")
    service.client.headers["traceparent"] = TRACE
    asked = service.submit(args={"required_arg": "é"}, callback=f"{receiver.url}/told")
    assert asked["callback"] == {
        "url": f"{receiver.url}/told", "state": "waiting", "attempts": 0, "next": None, "error": None,
    }  # fmt: skip
    told = receiver.received.get(timeout=20)
    event = Webhook(SECRET).verify(told.body, told.headers)
    seen = eventually(lambda: delivered(service, asked["id"]))
    assert (told.path, event["type"]) == ("/told", "task.done")
    assert {**event["data"], "callback": None} == {**seen, "callback": None}
    assert seen["callback"]["attempts"] == 1
    assert told.headers["traceparent"] == TRACE


def test_a_type_may_have_a_callback(service: Service, receiver: Receiver):
    service.start("janitor")
    service.submit("told", {"a": 1})
    told = receiver.received.get(timeout=20)
    assert (told.path, json.loads(told.body)["data"]["result"]) == ("/of-the-type", 2)


def test_a_private_address_is_called_only_if_it_is_configured(service: Service, receiver: Receiver):
    service.start("janitor", WEBHOOK_NETWORKS="10.0.0.0/8")
    asked = service.submit(args={"required_arg": "x"}, callback=receiver.url)
    error = eventually(lambda: service.view(asked["id"])["callback"]["error"])
    assert error == "its host has no public address, nor one of WEBHOOK_NETWORKS"
    assert receiver.received.empty()


def test_a_callback_of_a_killed_janitor_is_sent_again(service: Service, receiver: Receiver):
    over = Event()
    receiver.before = lambda: over.wait(30)
    janitor = service.start("janitor")
    asked = service.submit(args={"required_arg": "x"}, callback=receiver.url)
    first = receiver.received.get(timeout=20)
    janitor.send_signal(signal.SIGKILL)
    janitor.wait()
    over.set()
    assert service.view(asked["id"])["callback"]["state"] == "pending"
    a_minute_passes(service)
    service.start("janitor")
    second = receiver.received.get(timeout=20)
    assert eventually(lambda: delivered(service, asked["id"]))["callback"]["attempts"] == 2
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_a_stopping_janitor_finishes_callbacks_under_way(service: Service, receiver: Receiver):
    over = Event()
    receiver.before = lambda: over.wait(30)
    janitor = service.start("janitor")
    asked = service.submit(args={"required_arg": "x"}, callback=receiver.url)
    receiver.received.get(timeout=20)
    janitor.terminate()
    over.set()
    assert janitor.wait(20) == 0
    assert delivered(service, asked["id"])


def test_a_janitor_without_a_secret_sends_no_callback(service: Service, receiver: Receiver):
    service.start("janitor", WEBHOOK_SECRET="")
    asked = service.submit(args={"required_arg": "x"}, callback=receiver.url)
    eventually(lambda: "WEBHOOK_SECRET is not set" in service.logs())
    service.await_status(asked["id"], "done")
    assert service.view(asked["id"])["callback"]["state"] == "pending"
    service.start("janitor")
    assert receiver.received.get(timeout=20)


def delivered(service: Service, id: int) -> dict[str, Any] | None:
    task = service.view(id)
    return task if task["callback"]["state"] == "delivered" else None


def a_minute_passes(service: Service) -> None:
    """Move the due times of all deliveries a minute into the past."""
    database = Database(service.environment["DATABASE_URL"])
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE deliveries SET due = due - interval '1 minute'"))
    database.close()
