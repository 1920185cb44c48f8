"""The client and real processes: from outside, from within a task, and while the API is killed."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from subprocess import Popen
from typing import Any

import pytest

from flask_tasks import Client, TaskFailed
from tests.e2e.service import Service, eventually


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    with client_of(service) as client:
        yield client


def client_of(service: Service, **options: Any) -> Client:
    return Client(f"http://127.0.0.1:{service.port}", **options)


def kill(process: Popen[bytes]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def await_more_done(futures: Sequence[Future[Any]], number: int) -> None:
    """Wait until more than that many are done."""
    eventually(lambda: sum(each.done() for each in futures) > number)


def restart(service: Service, api: Popen[bytes]) -> Popen[bytes]:
    kill(api)
    return service.start("http")


def test_client_run_submits_waits_and_returns_the_result(client: Client):
    assert client.run("add", {"a": 1, "b": 2}) == 3
    task = client.submit("echo", {"big": 10**4299, "small": 5e-324}, wait=20)
    assert (task.status, task.result) == ("done", task.args)
    assert task.result == {"big": 10**4299, "small": 5e-324}


def test_a_failed_task_raises_its_error(client: Client):
    with pytest.raises(TaskFailed, match="failed with ValueError: wrong kind") as caught:
        client.run("picky")
    (attempt,) = client.log(caught.value.task)
    assert "ValueError: wrong kind" in (attempt.traceback or "")


def test_events_show_progress_and_end_with_the_result(client: Client):
    task = client.submit("reporting", {"seconds": 1.5})
    seen = list(client.events(task))
    assert [each.progress.message for each in seen if each.progress][:1] == ["reading"]
    assert (seen[-1].status, seen[-1].result) == ("done", task.id)
    assert len({each.status for each in seen}) > 1


def test_a_cancelled_task_is_final(client: Client):
    task = client.submit("slow", {"seconds": 60})
    eventually(lambda: client.view(task).status == "running")
    assert client.cancel(task).is_final
    assert [each.status for each in client.events(task)] == ["cancelled"]
    client.delete(task)
    assert task.id not in [each.id for each in client.list(type="slow")]


def test_a_task_submits_another_without_a_configured_address(client: Client):
    assert client.run("delegating", {"type": "add", "args": {"a": 1, "b": 2}}) == 3
    with pytest.raises(TaskFailed, match=r"failed with TaskFailed: task \d+ of type picky failed with ValueError"):
        client.run("delegating", {"type": "picky", "args": {}})


def test_a_process_that_has_used_a_client_runs_the_next_function(client: Client):
    # One after the other: two at once would occupy both processes, and wait for a third.
    for n in range(6):
        assert client.run("delegating", {"type": "echo", "args": {"n": n}}, seconds=20) == {"n": n}


def test_every_submission_creates_one_task_while_the_api_is_killed_repeatedly(new_service: Callable[..., Service]):
    service = new_service()
    api = service.start("http")
    # On a busy machine, three starts of the API may take longer than the ten retries of a client do.
    with client_of(service, retries=30) as client, ThreadPoolExecutor(4) as pool:
        submitted = [pool.submit(client.submit, "default", {"n": n}, max_losses=0) for n in range(400)]
        for share in (40, 150, 260):
            await_more_done(submitted, share)
            api = restart(service, api)
        tasks = [each.result() for each in submitted]
        assert [task.args for task in tasks] == [{"n": n} for n in range(400)]
        assert sorted(task.id for task in client.list()) == sorted(task.id for task in tasks)


def test_wait_and_events_report_the_end_after_the_api_was_killed(new_service: Callable[..., Service]):
    service = new_service()
    api = service.start("http")
    with client_of(service) as client, ThreadPoolExecutor(2) as pool:
        task = client.submit(args={"required_arg": "test"}, delay=3600)
        waiting = pool.submit(client.wait, task)
        events = client.events(task)
        assert next(events) == task
        api = restart(service, api)
        cancelled = client.cancel(task)
        assert waiting.result() == cancelled
        assert list(events) == [cancelled]
