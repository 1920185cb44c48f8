"""Failures that the service survives: killed, drained and frozen handlers, and an outage of the database."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from adapters.embedded_postgres import EmbeddedPostgres
from adapters.postgres import Database
from adapters.postgres.session_settings import MAX_IDLE_SECONDS
from tests.concurrency import asked
from tests.e2e.service import Service, eventually

FUNCTIONS = str(Path(__file__).parent / "functions.py")
NewService = Callable[..., Service]
OPEN_TRANSACTIONS = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND starts_with(state, 'idle in')
"""


def started(service: Service, *names: str, types: tuple[str, ...] = ("slow",)) -> Service:
    for name in names:
        service.start(name)
    service.await_ready(*types)
    return service


def content(mark: Path) -> str:
    return mark.read_text() if mark.exists() else ""


def await_start(mark: Path) -> None:
    """Wait until the task with this mark has started."""
    eventually(lambda: "start" in content(mark))


def test_a_task_of_a_killed_handler_is_started_elsewhere_and_ends_once(new_service: NewService, tmp_path: Path):
    service = started(new_service(TASKS=FUNCTIONS), "http", "janitor", "handler")
    mark = tmp_path / "mark"
    id = service.submit("slow", {"seconds": 1, "mark": str(mark)})["id"]
    await_start(mark)
    service.processes[2].kill()
    service.start("handler")
    task = service.await_status(id, "done")
    assert (task["attempt"], mark.read_text()) == (1, "start\nstart\nend\n")


@pytest.mark.parametrize("witness", ["janitor", "handler"])
def test_a_task_whose_handler_was_seen_to_end_is_started_elsewhere_at_once(
    new_service: NewService, tmp_path: Path, witness: str
):
    """The lease does not have to lapse."""
    service = started(new_service(TASKS=FUNCTIONS, LEASE="3600"), "http", "handler")
    mark = tmp_path / "mark"
    id = service.submit("slow", {"seconds": 0.5, "mark": str(mark)})["id"]
    await_start(mark)
    service.processes[1].kill()
    service.start(witness)
    if witness != "handler":
        service.start("handler")
    task = service.await_status(id, "done")
    assert (task["attempt"], mark.read_text()) == (1, "start\nstart\nend\n")


def test_a_run_ends_when_its_handler_is_killed(new_service: NewService, tmp_path: Path):
    service = started(new_service(TASKS=FUNCTIONS), "http", "handler")
    mark = tmp_path / "mark"
    service.submit("slow", {"seconds": 1, "mark": str(mark)}, max_losses=0)
    await_start(mark)
    service.processes[1].kill()
    service.start("handler")
    service.run("slow", {"seconds": 1.2})
    assert mark.read_text() == "start\n"


def test_a_fully_occupied_handler_rescues_the_tasks_of_a_killed_one(new_service: NewService, tmp_path: Path):
    """It rescues them itself, without a janitor, however many tasks wait."""
    service = started(new_service(TASKS=FUNCTIONS, LEASE="1", HANDLER_CONCURRENCY="1"), "http", "handler", "handler")
    marks = [tmp_path / "one", tmp_path / "two"]
    tasks = [service.submit("slow", {"seconds": 60, "mark": str(mark)})["id"] for mark in marks]
    for mark in marks:
        await_start(mark)
    for _ in range(50):
        service.submit("slow", {"seconds": 60}, priority=1)
    holders = {service.view(id)["handler"]: id for id in tasks}
    gone = service.processes[1]
    held = next(id for handler, id in holders.items() if f"-{gone.pid}-" in handler)
    gone.kill()
    waiting = service.await_status(held, "waiting")
    assert (waiting["attempt"], waiting["waiting_for"]) == (0, "handler")
    (other,) = {*tasks} - {held}
    assert service.view(other)["status"] == "running"


def test_a_task_that_may_never_start_twice_fails_when_its_handler_is_killed(new_service: NewService, tmp_path: Path):
    service = started(new_service(TASKS=FUNCTIONS), "http", "janitor", "handler")
    mark = tmp_path / "mark"
    id = service.submit("slow", {"seconds": 30, "mark": str(mark)}, max_losses=0)["id"]
    await_start(mark)
    service.processes[2].kill()
    service.start("handler")
    assert service.await_status(id, "failed")["error"]["type"] == "Lost"
    assert mark.read_text() == "start\n"


def test_sigterm_finishes_running_tasks_and_releases_the_others(new_service: NewService):
    service = started(new_service(TASKS=FUNCTIONS), "http", "handler")
    ids = [service.submit("slow", {"seconds": 1})["id"] for _ in range(6)]
    service.await_status(ids[0], "running")
    service.processes[1].terminate()
    assert service.processes[1].wait(10) == 0
    tasks = [service.view(id) for id in ids]
    assert {task["status"] for task in tasks} == {"done", "waiting"}
    assert all(task["attempt"] == (task["status"] == "done") for task in tasks)
    assert [task["waiting_for"] for task in tasks if task["status"] == "waiting"][-1] in (
        "handler",
        "no_handler_for_type",
    )


def test_a_task_that_outlasts_the_grace_is_released_without_an_attempt(new_service: NewService):
    service = started(new_service(TASKS=FUNCTIONS, GRACE="0.5"), "http", "handler")
    id = service.submit("slow", {"seconds": 60})["id"]
    service.await_status(id, "running")
    service.processes[1].terminate()
    assert service.processes[1].wait(10) == 0
    task = service.view(id)
    assert (task["status"], task["attempt"]) == ("waiting", 0)


def test_a_frozen_handler_loses_its_task_and_its_late_outcome_is_refused(new_service: NewService, tmp_path: Path):
    service = started(new_service(TASKS=FUNCTIONS), "http", "janitor", "handler")
    mark = tmp_path / "mark"
    id = service.submit("slow", {"seconds": 1, "mark": str(mark)})["id"]
    await_start(mark)
    frozen = service.processes[2]
    frozen.send_signal(signal.SIGSTOP)
    service.start("handler")
    first = service.await_status(id, "done")
    frozen.send_signal(signal.SIGCONT)
    eventually(lambda: "refused" in service.logs() or "may not run" in service.logs() or frozen.poll() is None)
    service.run("slow", {"seconds": 0.5})
    assert service.view(id) == first


def test_a_live_handlers_long_task_is_never_taken_away(new_service: NewService, tmp_path: Path):
    service = started(new_service(TASKS=FUNCTIONS, LEASE="1"), "http", "janitor", "handler", "handler")
    mark = tmp_path / "mark"
    task = service.run("slow", {"seconds": 4, "mark": str(mark)})
    assert (task["status"], mark.read_text()) == ("done", "start\nend\n")


def test_a_restart_of_the_database_loses_and_repeats_no_task(tmp_path: Path):
    server = EmbeddedPostgres(tmp_path / "data")
    service = Service(server.start(), tmp_path, TASKS=FUNCTIONS, LEASE="1")
    try:
        started(service, "http", "janitor", "handler")
        mark = tmp_path / "mark"
        running = service.submit("slow", {"seconds": 3, "mark": str(mark)})["id"]
        waiting = [service.submit("echo")["id"] for _ in range(5)]
        await_start(mark)
        server.stop()
        answer = service.client.post("/task/new/echo", json={})
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert "psycopg2" not in answer.text
        eventually(lambda: "end" in mark.read_text())
        server.start()
        eventually(lambda: service.status("/health/ready") == 200)
        assert service.await_status(running, "done")["attempt"] == 1
        assert [service.await_status(id, "done")["attempt"] for id in waiting] == [1] * 5
        assert mark.read_text() == "start\nend\n"
    finally:
        service.stop()
        server.stop()


def test_no_task_waits_behind_a_slow_one_while_another_handler_is_idle(new_service: NewService):
    service = started(new_service(TASKS=FUNCTIONS, HANDLER_CONCURRENCY="1"), "http", "handler", "handler")
    for id in [service.submit("slow", {"seconds": 0})["id"] for _ in range(50)]:
        service.await_status(id, "done")
    slow = service.submit("slow", {"seconds": 5})["id"]
    quick = [service.submit("slow", {"seconds": 0})["id"] for _ in range(50)]
    tasks = [service.await_status(id, "done") for id in quick]
    assert service.view(slow)["status"] == "running"
    assert {(task["attempt"], task["max_attempts"]) for task in tasks} == {(1, 1)}


def test_handlers_of_different_types_share_one_queue(new_service: NewService):
    service = new_service()
    service.start("http")
    service.start("handler", TASKS=FUNCTIONS)
    service.start("handler", TASKS="tasks/tasks.py")
    service.await_ready("echo", "add")
    assert service.run("echo")["status"] == "done"
    assert service.run("add", {"a": 1, "b": 2})["result"] == 3


def test_a_task_of_a_type_without_a_live_handler_is_accepted_and_says_so(new_service: NewService):
    service = started(new_service(TASKS=FUNCTIONS), "http", "handler")
    service.processes[1].terminate()
    service.processes[1].wait(10)
    id = service.submit("echo")["id"]
    eventually(lambda: service.view(id)["waiting_for"] == "no_handler_for_type")


def test_arguments_that_no_longer_fit_fail_their_task_and_the_handler_lives(new_service: NewService, tmp_path: Path):
    tasks = tmp_path / "changing.py"
    tasks.write_text("from flask_tasks import task\n@task\ndef changing(a: int): return a\n")
    service = started(new_service(TASKS=str(tasks)), "http", "handler", types=("changing",))
    service.processes[1].terminate()
    service.processes[1].wait(10)
    old = service.submit("changing", {"a": 1})
    tasks.write_text("from flask_tasks import task\n@task\ndef changing(b: str): return b\n")
    service.start("handler")
    failed = service.await_status(old["id"], "failed")
    assert failed["error"]["type"] == "InvalidArguments"
    eventually(lambda: service.client.post("/task/new/changing", json={"b": "new"}).status_code == 201)
    assert service.run("changing", {"b": "new"})["result"] == "new"


def test_during_an_update_each_task_runs_at_the_handler_that_it_fits(new_service: NewService, tmp_path: Path):
    """The old handler claims all tasks at first, since the new one is frozen.

    The tasks are few: each may be claimed by the wrong handler repeatedly, and is delayed longer every time.
    """
    old, new = tmp_path / "old.py", tmp_path / "new.py"
    old.write_text("from flask_tasks import task\n@task\ndef changing(a: int): return a\n")
    new.write_text("from flask_tasks import task\n@task\ndef changing(a: int, b: str): return b\n")
    service = started(new_service(TASKS=str(old), LEASE="30"), "http", "handler", types=("changing",))
    fits_old = [service.submit("changing", {"a": n}, delay=3)["id"] for n in range(3)]
    handler = service.start("handler", TASKS=str(new))
    eventually(lambda: service.client.post("/task/new/changing", json={"a": 1, "b": "new"}).status_code == 201)
    handler.send_signal(signal.SIGSTOP)
    fits_new = [service.submit("changing", {"a": 1, "b": str(n)})["id"] for n in range(5)]
    eventually(lambda: "rerouted" in service.logs())
    handler.send_signal(signal.SIGCONT)
    done = [service.await_status(id, "done", "failed", within=60) for id in (*fits_old, *fits_new)]
    assert [task["result"] for task in done] == [*range(3), *map(str, range(5))]
    assert {task["attempt"] for task in done} == {1}


def test_an_idle_service_leaves_no_transaction_open(new_service: NewService):
    service = started(new_service(TASKS=FUNCTIONS), "http", "janitor", "handler")
    service.run("echo")
    database = Database(service.environment["DATABASE_URL"])
    for _ in range(20):
        # A look may meet one between two of its statements, but not for long.
        eventually(lambda: asked(database, OPEN_TRANSACTIONS) == [(0,)], within=MAX_IDLE_SECONDS / 2)
        time.sleep(0.05)
    database.close()


def test_an_idle_service_uses_hardly_any_cpu(new_service: NewService):
    service = started(new_service(TASKS=FUNCTIONS), "http", "janitor", "handler")
    service.run("echo")
    processes = [
        each
        for process in service.processes
        for each in (psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True))
    ]

    def spent() -> float:
        return sum(sum(each.cpu_times()[:2]) for each in processes)

    spent_in_a_second = []
    for _ in range(10):  # the end of the start may take a while
        before = spent()
        time.sleep(1)
        spent_in_a_second.append(spent() - before)
        if spent_in_a_second[-1] < 0.1:
            break
    assert spent_in_a_second[-1] < 0.1, spent_in_a_second


def test_a_module_that_cannot_be_imported_stops_the_handler_with_a_sentence(new_service: NewService, tmp_path: Path):
    broken = tmp_path / "broken.py"
    broken.write_text("import numpyy\n")
    service = new_service(TASKS=str(broken))
    assert service.start("handler").wait(20) == 2
    assert "broken.py" in service.logs()
    assert "No module named 'numpyy'" in service.logs()
    assert "Traceback" not in service.logs()


def test_a_wrong_setting_stops_every_process_with_a_sentence(new_service: NewService):
    service = new_service()
    started = [service.start(name, MAX_TASK_TIME="soon") for name in ("http", "handler", "janitor", "migrate")]
    assert [each.wait(20) for each in started] == [2] * 4
    assert service.logs().count("MAX_TASK_TIME is 'soon': it must be a whole number of seconds") == 4


def test_processes_that_start_before_the_database_wait_for_it(tmp_path: Path):
    server = EmbeddedPostgres(tmp_path / "data")
    url = server.start()
    server.stop()
    service = Service(url, tmp_path, TASKS=FUNCTIONS)
    try:
        for name in ("http", "janitor", "handler"):
            service.start(name)
        eventually(lambda: "the database is away" in service.logs())
        eventually(lambda: service.status("/health/live") == 200)
        assert service.status("/health/ready") == 503
        server.start()
        service.await_ready("echo")
        assert service.run("echo")["status"] == "done"
    finally:
        service.stop()
        server.stop()
