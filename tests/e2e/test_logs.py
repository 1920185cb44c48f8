"""The logs of tasks through real processes: any amount of output, and any end of the function."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.service import Service, eventually

MIB = 1024 * 1024
MAX_LOG_CHARACTERS = 64 * 1024


def log(service: Service, id: int) -> list[dict[str, Any]]:
    answer = service.client.get(f"/task/{id}/log")
    assert answer.status_code == 200, answer.text
    return answer.json()["attempts"]


def memory(process: int) -> int:
    """Bytes of memory that the process uses."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc to see memory")
def test_a_function_may_print_a_hundred_megabytes(service: Service):
    service.run("flood", {"size": MIB})
    handler = service.processes[1].pid
    before = memory(handler)
    task = service.run("flood", {"size": 100 * MIB})
    assert (task["status"], task["result"]) == ("done", 100 * MIB)
    (attempt,) = log(service, task["id"])
    assert attempt["outcome"] == "done"
    assert attempt["log"].startswith("…xxx")
    assert attempt["log"].endswith("x\nthe end\n")
    assert len(attempt["log"]) == 1 + MAX_LOG_CHARACTERS
    assert memory(handler) - before < 5 * MIB


def test_output_of_every_kind_is_in_the_log_of_its_task(service: Service):
    tasks = [service.submit("says_in_all_ways", {"word": word}) for word in ("one", "two", "three")]
    for task, word in zip(tasks, ("one", "two", "three"), strict=True):
        done = service.await_status(task["id"], "done")
        (attempt,) = log(service, task["id"])
        lines = [f"{word} python", f"{word} library", f"{word} descriptor", f"{word} program"]
        assert attempt["log"].splitlines() == lines
        assert (attempt["started"], attempt["ended"]) == (done["started"], done["finished"])


def test_a_task_that_prints_nothing_has_an_empty_log(service: Service):
    assert log(service, service.run("echo")["id"]) == []
    assert service.client.get("/task/999999/log").status_code == 404


def test_a_failed_attempt_has_its_traceback(service: Service):
    (attempt,) = log(service, service.run("picky")["id"])
    assert (attempt["outcome"], attempt["error"], attempt["log"]) == ("failed", "ValueError: wrong kind", "")
    assert 'raise ValueError("wrong kind")' in attempt["traceback"]


@pytest.mark.parametrize(("what", "options"), [("crashes", {}), ("takes too long", {"timeout": 0.3})])
def test_the_log_of_an_ended_run_has_its_output(service: Service, what: str, options: dict[str, Any]):
    (attempt,) = log(service, service.run("says_and", {"what": what}, **options)["id"])
    assert (attempt["outcome"], attempt["log"]) == ("failed", f"{what}\n")


def test_the_log_of_a_cancelled_run_has_its_output(service: Service):
    id = service.submit("says_and", {"what": "is cancelled"})["id"]
    eventually(lambda: "is cancelled\n" in service.logs())
    service.client.post(f"/task/{id}/cancel")
    (attempt,) = eventually(lambda: log(service, id))
    assert (attempt["outcome"], attempt["log"], attempt["error"]) == ("cancelled", "is cancelled\n", None)
    assert service.view(id)["status"] == "cancelled"
