"""Functions that kill their handler: they fail as lost, and their innocent neighbours finish, though restarted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.e2e.service import Service, eventually

FUNCTIONS = str(Path(__file__).parent / "functions.py")
NewService = Callable[..., Service]


@pytest.fixture
def service(new_service: NewService) -> Iterator[Service]:
    """API and a handler that is started again whenever it has ended, as an orchestrator does."""
    service = new_service(TASKS=FUNCTIONS, HANDLER_CONCURRENCY="6")
    service.start("http")
    with restarting(service):
        service.await_ready("slow", "kills_its_handler")
        yield service


@contextmanager
def restarting(service: Service) -> Iterator[None]:
    is_over = Event()

    def keep() -> None:
        handler = service.start("handler")
        while not is_over.wait(0.05):
            if handler.poll() is not None:
                handler = service.start("handler")

    keeper = Thread(target=keep)
    keeper.start()
    try:
        yield
    finally:
        is_over.set()
        keeper.join()


def starts(mark: Path) -> int:
    return mark.read_text().count("start") if mark.exists() else 0


def await_starts(mark: Path, number: int) -> None:
    eventually(lambda: starts(mark) == number, within=60)


def test_a_killer_fails_and_its_long_neighbour_is_done(service: Service, tmp_path: Path):
    mark = tmp_path / "killer"
    neighbour = service.submit("slow", {"seconds": 5}, max_losses=1)["id"]
    service.await_status(neighbour, "running")
    killer = service.submit("kills_its_handler", {"mark": str(mark)}, max_losses=1)["id"]
    failed = service.await_status(killer, "failed", within=90)
    done = service.await_status(neighbour, "done", within=60)
    assert failed["error"]["type"] == "Lost"
    assert done["attempt"] == 1
    assert starts(mark) == 2


def test_innocents_that_may_be_lost_once_survive_two_killers(service: Service, tmp_path: Path):
    marks = [tmp_path / "one", tmp_path / "two"]
    innocents = [service.submit("slow", {"seconds": 1.5}, max_losses=1)["id"] for _ in range(3)]
    killers = [service.submit("kills_its_handler", {"mark": str(mark)}, max_losses=1)["id"] for mark in marks]
    for killer in killers:
        assert service.await_status(killer, "failed", within=90)["error"]["type"] == "Lost"
    for innocent in innocents:
        service.await_status(innocent, "done", within=60)
    assert [starts(mark) for mark in marks] == [2, 2]


def test_a_killer_that_starts_beside_a_suspect_costs_it_one_start(service: Service, tmp_path: Path):
    mark = tmp_path / "innocent"
    innocent = service.submit("slow", {"seconds": 6, "mark": str(mark)})["id"]
    await_starts(mark, 1)
    for number in (2, 3):
        service.submit("kills_its_handler", max_losses=1)
        await_starts(mark, number)
    assert service.await_status(innocent, "done", within=90)["attempt"] == 1
    assert starts(mark) == 3


def test_new_tasks_finish_beside_a_suspect_that_runs(service: Service, tmp_path: Path):
    mark = tmp_path / "suspect"
    suspect = service.submit("slow", {"seconds": 4, "mark": str(mark)})["id"]
    await_starts(mark, 1)
    service.submit("kills_its_handler", max_losses=0)
    await_starts(mark, 2)
    assert service.run("echo", {"a": 1})["status"] == "done"
    assert service.view(suspect)["status"] == "running"
