"""The real compose file: built, started, scaled, with a handler killed, taken down and started again."""

import json
import os
import signal
import subprocess
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from typing import Any

import pytest

from tests.e2e.compose import Client, Stack, run
from tests.ports import free_port

TASKS = 10_000
CLIENTS = 8
BUILT = ("api", "handler", "janitor")
FALL_ARGS = {"dt": 0.002, "r0": [0, 0, 100], "v0": [5, 0, 0], "mass": 1, "radius": 0.1, "drag": True}
"""Arguments that take some 30 ms of computing on an idle machine."""

RECORD_EVERY_OUTCOME = """
CREATE TABLE outcomes (task bigint);
CREATE FUNCTION record_outcome() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO outcomes VALUES (NEW.id); RETURN NULL; END $$;
CREATE TRIGGER record_outcome AFTER UPDATE ON tasks FOR EACH ROW
    WHEN (NEW.status IN ('done', 'failed', 'cancelled')) EXECUTE FUNCTION record_outcome();
"""

TAKE_ALL_MEMORY = """
import json, pathlib
from adapters.executors.process.pool.executor import ProcessExecutor
from application.ports.executor import Failed, Run
from domain.ids import Hold

file = pathlib.Path("/tmp/grows.py")
file.write_text("from flask_tasks import task\\n@task\\ndef grows(): return len(bytearray(b'x') * 2**30)\\n")
executor = ProcessExecutor([str(file)], 1)
executor.open()
while not executor.free:
    executor.events(1)
executor.start(Run(Hold(1, 1, "h"), "grows", 1, "{}"))
failures = []
while not failures:
    failures = [event.failure for event in executor.events(1) if isinstance(event, Failed)]
print(json.dumps([failures[0].type, failures[0].message]))
executor.close()
"""
"""Runs a function beside the handler in its container, and prints its failure."""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The service with three handlers and two janitors, with a short lease and grace."""
    if reason := missing_requirement():
        assert os.environ.get("TEST_COMPOSE") != "required", reason
        pytest.skip(reason)
    stack = Stack(f"flask-tasks-test-{os.getpid()}", free_port(), LEASE="5", GRACE="5", HANDLER_CONCURRENCY="2")
    try:
        stack.compose("build", within=600)
        start(stack, handler=3, janitor=2)
        stack.sql(RECORD_EVERY_OUTCOME)
        yield stack
    finally:
        stack.compose("down", "--volumes", "--remove-orphans", "--rmi=local", "--timeout=5")


def missing_requirement() -> str | None:
    """The reason why containers cannot run here; None where they can."""
    checks = {
        "no container engine answers": ["docker", "info"],
        "there is no Docker Compose": ["docker", "compose", "version"],
        "python:3.13-slim is not available": available("python:3.13-slim"),
        "postgres:17 is not available": available("postgres:17"),
    }
    return next((reason for reason, command in checks.items() if not succeeds(command)), None)


def available(image: str) -> list[str]:
    return ["sh", "-c", f"docker image inspect {image} || docker pull {image}"]


def succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=300).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def start(stack: Stack, **scales: int) -> None:
    """Start that many containers of each service, and wait until every type has a live handler."""
    scale = [argument for name, number in scales.items() for argument in ("--scale", f"{name}={number}")]
    stack.compose("up", "--detach", "--no-build", "--wait", "--wait-timeout=100", *scale)
    stack.eventually(lambda: stack.live_types() >= {"default", "add", "mov3d"})


def submit(stack: Stack, type: str, all_args: Iterable[Any]) -> None:
    """Submit a task for each item, over one connection."""
    with closing(Client(stack.port)) as client:
        for args in all_args:
            status, answer = client.ask("POST", f"/task/new/{type}", args)
            assert status == 201, answer


def all_finished(stack: Stack) -> bool:
    return stack.number("count(*) FILTER (WHERE status IN ('waiting', 'running'))") == 0


def kill_handler_with_tasks(stack: Stack) -> str:
    """SIGKILL a handler while it holds tasks; it is stopped meanwhile to be sure. Its container."""
    container = stack.containers("handler")[1]
    held = f"count(*) FILTER (WHERE status = 'running' AND handler LIKE '{container[:12]}-%')"

    def holds_when_stopped() -> bool:
        stack.signal(container, signal.SIGSTOP)
        if stack.number(held):
            return True
        stack.signal(container, signal.SIGCONT)
        return False

    stack.eventually(holds_when_stopped)
    stack.signal(container, signal.SIGKILL)
    return container


def test_every_container_has_an_ordinary_user_and_cannot_change_its_files(stack):
    for container in (container for service in BUILT for container in stack.containers(service)):
        known = stack.inspect(container)
        assert known["Config"]["User"] == "10001:10001"
        assert known["HostConfig"]["ReadonlyRootfs"]
        assert known["HostConfig"]["CapDrop"] == ["ALL"]
        assert known["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"


def test_the_api_is_healthy_and_published_on_this_machine_alone(stack):
    (api,) = map(stack.inspect, stack.containers("api"))
    assert api["State"]["Health"]["Status"] == "healthy"
    assert api["NetworkSettings"]["Ports"] == {"5000/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(stack.port)}]}


def test_the_port_of_the_database_is_not_published(stack):
    (postgres,) = map(stack.inspect, stack.containers("postgres"))
    assert not postgres["HostConfig"]["PortBindings"]


def test_the_image_of_the_api_does_not_contain_the_users_code(stack):
    assert "tasks" not in stack.compose("exec", "--no-TTY", "api", "ls").split()
    assert "tasks" in stack.compose("exec", "--no-TTY", "handler", "ls").split()


def test_the_two_first_requests_of_a_new_user_are_answered(stack):
    status, task = stack.ask("POST", "/task/new", {"required_arg": "test"})
    assert (status, task["id"], task["required_arg"]) == (201, 1, "test")
    assert stack.eventually(lambda: stack.ask("GET", "/task/1/view")[1]["status"] == "done")


def test_a_function_reaches_the_service_without_a_configured_address(stack):
    look = "from flask_tasks import Client; print(Client().view(1).type)"
    assert stack.compose("exec", "--no-TTY", "handler", "python", "-c", look) == "default\n"


def test_ten_thousand_tasks_are_done_and_recorded_once_while_a_handler_is_killed(stack):
    before = stack.number("count(*)")
    with ThreadPoolExecutor(CLIENTS) as clients:
        args = [{"a": number, "b": 1} for number in range(TASKS)]
        submitted = [clients.submit(submit, stack, "add", args[client::CLIENTS]) for client in range(CLIENTS)]
        stack.eventually(lambda: stack.number("count(*)") - before > TASKS // 4)
        killed = kill_handler_with_tasks(stack)
        for each in as_completed(submitted, timeout=120):
            each.result()
    stack.eventually(lambda: all_finished(stack), within=180)

    added = "FROM tasks WHERE type = 'add'"
    assert stack.sql(f"SELECT status, count(*) {added} GROUP BY status") == [["done", str(TASKS)]]
    assert stack.sql(f"SELECT id {added} AND result::int <> (args::json->>'a')::int + 1") == []
    assert stack.sql(f"SELECT count(DISTINCT args::json->>'a') {added}") == [[str(TASKS)]]
    assert stack.sql("SELECT task, count(*) FROM outcomes GROUP BY task HAVING count(*) > 1") == []
    assert stack.number("count(*) FILTER (WHERE id NOT IN (SELECT task FROM outcomes))") == 0
    assert stack.number("max(attempt)") == 1
    assert stack.number("max(claims)") > 1
    assert stack.sql("SELECT count(*) FROM attempts WHERE outcome = 'lost'") == [[str(stack.number("sum(losses)"))]]
    stack.eventually(lambda: stack.inspect(killed)["State"]["Running"])
    assert stack.inspect(killed)["RestartCount"] == 1


def test_a_function_that_takes_all_memory_fails_alone_with_out_of_memory(stack):
    container = stack.containers("handler")[0]
    run("docker", "update", "--memory=200m", "--memory-swap=200m", container)
    answer = run("docker", "exec", container, "python", "-c", TAKE_ALL_MEMORY)
    assert json.loads(answer) == [
        "OutOfMemory",
        "the process that ran it was killed by SIGKILL, as there was no memory left",
    ]
    assert stack.inspect(container)["State"]["Running"]
    run("docker", "update", "--memory=4g", "--memory-swap=4g", container)


def test_scaling_handlers_down_loses_no_task(stack):
    start(stack, handler=5)
    losses = stack.number("sum(losses)")
    submit(stack, "mov3d", [FALL_ARGS] * 200)
    start(stack, handler=1)
    assert len(stack.containers("handler")) == 1
    stack.eventually(lambda: all_finished(stack), within=180)
    assert stack.sql("SELECT status, count(*) FROM tasks WHERE type = 'mov3d' GROUP BY status") == [["done", "200"]]
    assert stack.number("sum(losses)") == losses


def test_the_tasks_are_still_there_after_down_and_up(stack):
    everything = "SELECT count(*), md5(string_agg(t::text, ',' ORDER BY id)) FROM tasks t"
    before = stack.sql(everything), stack.ask("GET", "/task/1/view")
    stack.compose("down")
    start(stack, handler=1, janitor=1)
    assert (stack.sql(everything), stack.ask("GET", "/task/1/view")) == before
