"""Arguments, results and secrets occur nowhere in the log of real processes, whatever fails."""

import json
import re
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2

from tests.e2e.service import Service, eventually
from tests.receiver import Receiver, receiving

PLANTED = "tiger"
SECRET = "whsec_" + b64encode(b"tiger" * 6).decode()
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
IS_JSON = {"Content-Type": "application/json"}
WAYS = "raises", "is looked up", "has no result", "crashes", "is slow"
OF_A_START = "task", "type", "attempt", "claim", "handler", "trace"
OF_A_REQUEST = "request", "method", "path", "status", "seconds"
KEYS = {"time", "level", "process", "message", "stack", *OF_A_START, *OF_A_REQUEST}
FUNCTIONS = """
import os, time
from flask_tasks import Retry, task


@task
def gives(secret: str) -> dict:
    return {secret: secret}


@task(timeout=0.3)
def fails(how: str, secret: str):
    match how:
        case "raises":
            raise ValueError(secret)
        case "is looked up":
            {}[secret]
        case "has no result":
            return {secret: object()}
        case "crashes":
            os._exit(7)
        case "is slow":
            time.sleep(60)


@task
def is_slow(secret: str):
    time.sleep(60)
"""
REFUSALS = """
ALTER TABLE tasks ADD CONSTRAINT no_poison CHECK (args NOT LIKE '%poison%') NOT VALID;
ALTER TABLE tasks ADD CONSTRAINT no_venom CHECK (result NOT LIKE '%venom%') NOT VALID;
"""


LINES = (
    r"task \d+ \(fails\) failed in attempt 1 of 1: ValueError",
    r"task \d+ \(fails\) failed in attempt 1 of 1: KeyError",
    r"task \d+ \(fails\) failed in attempt 1 of 1: InvalidResult",
    r"task \d+ \(fails\) failed in attempt 1 of 1: Crashed: the process that ran it ended with exit code 7",
    r"task \d+ \(fails\) failed in attempt 1 of 1: TimeoutError: it took longer than 0\.3 s",
    r"the outcome of task \d+ \(is_slow\) is dropped: it is not held any more",
    r"the outcome of task \d+ \(gives\) cannot be stored: a constraint of the database forbids it",
    r"task \d+ \(default\) expired before it ran, and is deleted",
    r"the callback of task \d+ is given up: it answered 410: gone for good",
    r"Exception on /task/new/gives \[POST\]",
    r"POST /task/new/gives: 500 in .* ms",
)
"""The lines of what `fail_in_all_ways` does."""


def test_what_is_secret_is_in_no_line(new_service: Callable[..., Service], tmp_path: Path):
    with receiving() as receiver:
        receiver.answers = [410]
        service = started(new_service, tmp_path / "functions.py")
        fail_in_all_ways(service, receiver)
        logged = eventually(lambda: lines_of_all(service))
    assert PLANTED not in service.logs()
    assert SECRET not in service.logs()
    assert {key for each in logged for key in each} <= KEYS
    assert [each for each in logged if " attempt " in each["message"] and not {*OF_A_START} <= {*each}] == []
    (failed,) = [each for each in logged if each["message"].startswith("Exception on")]
    assert (failed["request"], failed["trace"]) == ("refused", TRACE)
    assert "psycopg2.errors.CheckViolation (23514)" in failed["stack"]


def started(new_service: Callable[..., Service], file: Path) -> Service:
    """All processes, with a password of the database that is planted."""
    file.write_text(FUNCTIONS)
    service = new_service(TASKS=str(file), WEBHOOK_SECRET=SECRET, WEBHOOK_NETWORKS="127.0.0.1", LOG="json:debug")
    address = urlsplit(service.environment["DATABASE_URL"])
    role = f"planted_in_{address.path[1:]}"
    execute(service, f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD '{PLANTED}'")
    url = address._replace(netloc=f"{role}:{PLANTED}@{address.hostname}:{address.port}").geturl()
    for name in ("http", "handler", "janitor"):
        service.start(name, DATABASE_URL=url)
    refused = service.start("janitor", DATABASE_URL=url.replace(PLANTED, f"another-{PLANTED}"))
    assert refused.wait(20) == 2
    service.await_ready("gives", "fails", "is_slow")
    service.client.headers["traceparent"] = f"00-{TRACE}-00f067aa0ba902b7-01"
    return service


def fail_in_all_ways(service: Service, receiver: Receiver) -> None:
    """Have each kind of line logged that a secret could be in."""
    service.submit("default", {"secret": PLANTED}, ttl=1)
    service.run("gives", {"secret": PLANTED}, callback=f"{receiver.url}/?token={PLANTED}")
    failing = [service.submit("fails", {"how": how, "secret": PLANTED})["id"] for how in WAYS]
    slow = service.submit("is_slow", {"secret": PLANTED})["id"]
    service.await_status(slow, "running")
    service.client.post(f"/task/{slow}/cancel")
    for id in failing:
        service.await_status(id, "failed")
    execute(service, REFUSALS)
    service.run("gives", {"secret": f"{PLANTED} venom"})
    headers = {"Authorization": f"Bearer {PLANTED}", "Idempotency-Key": PLANTED, "X-Request-Id": "refused"}
    failed = service.client.post("/task/new/gives", json={"secret": f"{PLANTED} poison"}, headers=headers)
    assert (failed.status_code, failed.headers["X-Request-Id"]) == (500, "refused")
    assert service.client.post("/task/new/gives", content=f'{{"{PLANTED}"', headers=IS_JSON).status_code == 400
    assert service.client.post(f"/task/new/gives?delay={PLANTED}", json={}).status_code == 422
    execute(service, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")


def execute(service: Service, statements: str) -> None:
    with closing(psycopg2.connect(service.environment["DATABASE_URL"])) as connection, connection:
        connection.cursor().execute(statements)


def lines_of_all(service: Service) -> list[dict[str, Any]] | None:
    """The lines of all processes, once each of LINES is among them."""
    lines = service.logs().splitlines()
    found = [json.loads(each) for each in lines if each and not each.startswith("flask-tasks: ")]
    messages = [each["message"] for each in found]
    return found if all(any(re.fullmatch(each, message) for message in messages) for each in LINES) else None
