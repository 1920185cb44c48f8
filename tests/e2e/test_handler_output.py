"""The output of the processes: failures have a line with the time and its zone; and the end of a handler."""

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.e2e.service import Service, eventually

NewService = Callable[..., Service]
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d (http|handler|janitor) [A-Z]+ .+")
FUNCTIONS = """
import atexit, pathlib, threading, time
from flask_tasks import task

FOLDER = pathlib.Path(__file__).parent


@atexit.register
def at_the_end():
    if (FOLDER / "hangs").exists():
        time.sleep(600)
    with (FOLDER / "ended").open("a") as file:
        file.write("ended\\n")


@task
def fails(secret: str):
    print("printed")
    raise ValueError("no such planet\\n2026-01-01T00:00:00.000+00:00 handler INFO forged")


@task
def leaves_a_thread():
    threading.Thread(target=time.sleep, args=(600,), name="monitor", daemon=True).start()
"""


def started(new_service: NewService, folder: Path, **variables: str) -> Service:
    file = folder / "functions.py"
    file.write_text(FUNCTIONS)
    service = new_service(TASKS=str(file), HANDLER_CONCURRENCY="2", **variables)
    for name in ("http", "handler", "janitor"):
        service.start(name)
    service.await_ready("fails")
    return service


def test_a_failure_is_one_line_of_the_handler_without_its_message(new_service: NewService, tmp_path: Path):
    service = started(new_service, tmp_path)
    id = service.submit("fails", {"secret": "tiger"})["id"]
    service.await_status(id, "failed")
    (line,) = eventually(lambda: [each for each in service.logs().splitlines() if "(fails) failed" in each])
    assert LINE.fullmatch(line)
    assert f"handler WARNING task {id} (fails) failed in attempt 1 of 1: ValueError  task={id} type=fails" in line
    assert "planet" not in service.logs()
    others = [each for each in service.logs().splitlines() if each not in ("", "printed")]
    assert [each for each in others if not LINE.fullmatch(each)] == []
    assert {LINE.fullmatch(each)[1] for each in others} == {"http", "handler", "janitor"}  # type: ignore[index]


def test_the_author_of_a_function_that_costs_its_process_is_told(new_service: NewService, tmp_path: Path):
    service = started(new_service, tmp_path)
    ids = [service.run("leaves_a_thread")["id"] for _ in range(3)]
    attempts = [service.client.get(f"/task/{id}/log").json()["attempts"] for id in ids]
    assert [len(each) for each in attempts] == [1, 0, 0]
    assert "monitor (Thread)" in attempts[0][0]["log"]
    assert service.logs().count("a run of leaves_a_thread has cost its process") == 1


def test_a_stop_calls_the_exit_functions_of_every_child(new_service: NewService, tmp_path: Path):
    service = started(new_service, tmp_path)
    handler = service.processes[1]
    handler.send_signal(signal.SIGTERM)
    assert handler.wait(20) == 0
    assert (tmp_path / "ended").read_text() == "ended\n" * 2


def test_a_stop_waits_for_exit_functions_no_longer_than_the_grace(new_service: NewService, tmp_path: Path):
    service = started(new_service, tmp_path, GRACE="1")
    (tmp_path / "hangs").touch()
    handler = service.processes[1]
    begin = time.monotonic()
    handler.send_signal(signal.SIGTERM)
    assert handler.wait(20) == 0
    assert 1 <= time.monotonic() - begin < 6


def test_a_second_stop_waits_for_no_exit_function(new_service: NewService, tmp_path: Path):
    service = started(new_service, tmp_path, GRACE="600")
    (tmp_path / "hangs").touch()
    handler = service.processes[1]
    handler.send_signal(signal.SIGTERM)
    eventually(lambda: "stopping" in service.logs())
    time.sleep(0.5)
    handler.send_signal(signal.SIGTERM)
    assert handler.wait(20) == 0
