"""The pictures of the documents: each shows a page at work, and is taken anew with PICTURES=docs/images."""

import os
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from adapters.postgres import Database
from domain.histogram import bucket_of
from tests.browser.conftest import Open
from tests.browser.opened import Opened
from tests.conftest import ROOT
from tests.e2e.service import Service, eventually

SCREEN, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
FALL = {"dt": 0.05, "r0": [0, 0, 100], "v0": [12, 3, 4], "mass": 1, "radius": 0.12, "drag": True}
HOUR_MINUTES = 60
NAME_THE_IMAGES_FOLDER = """([here, there]) => {
    for (const each of document.querySelectorAll("pre")) each.innerHTML = each.innerHTML.replaceAll(here, there);
}"""
"""Shows the path of the functions as it is in a container, not where the tests happen to run."""
SAVE_EVENT = text("INSERT INTO task_event_counts VALUES (:minute, :type, :event, :buckets, :numbers)")
Take = Callable[[Opened, str], None]


@pytest.fixture(scope="module")
def busy(service: Service) -> Service:
    """A service in the middle of its work: tasks of every status, and figures of the hour before."""
    fill_the_hour_before(service)
    for customer in range(1, 41):
        service.submit("report", {"customer": customer, "month": "2026-11"})
    for drag in (True, False):
        service.submit("mov3d", FALL | {"drag": drag})
    for _ in range(6):
        service.submit("report", {"customer": 5, "month": "2026-12"}, delay=86_000)
    service.submit("counting", {"steps": 900, "seconds": 0.5})
    eventually(lambda: service.client.get("/tasks/counts").json()["counts"]["mov3d"].get("done") == 2)
    eventually(lambda: service.client.get("/tasks/counts").json()["counts"]["report"].get("failed", 0) >= 13)
    return service


def fill_the_hour_before(service: Service) -> None:
    """Enter counts of events for the last hour, as if tasks had come all the time."""
    chance = random.Random(7)
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    rows = []
    for minute in range(1, HOUR_MINUTES + 1):
        for type, rate, seconds in (("report", 90, 0.8), ("mov3d", 25, 3.0), ("counting", 4, 20.0)):
            number = round(rate * (1 + 0.4 * (minute % 20) / 20) * chance.uniform(0.8, 1.2))
            failed = round(number * (0.25 if type == "report" and 20 < minute < 28 else 0.02))
            waits = [bucket_of(0.02 * chance.lognormvariate(0, 1)) for _ in range(number)]
            runs = [bucket_of(seconds * chance.lognormvariate(0, 0.5)) for _ in range(number)]
            events = {"started": waits, "done": runs[failed:], "failed": runs[:failed]}
            at = {"minute": now - timedelta(minutes=minute), "type": type}
            rows.append(at | {"event": "submitted", "buckets": [None], "numbers": [number]})
            rows += [
                at | {"event": event, "buckets": durations, "numbers": None}
                for event, durations in events.items()
                if durations
            ]
    database = Database(service.environment["DATABASE_URL"])
    with database.engine.begin() as connection:
        for row in rows:
            connection.execute(SAVE_EVENT, row)
    database.close()


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """Take a picture of what the window shows, for the documents if these are asked for."""
    folder = ROOT / os.environ["PICTURES"] if "PICTURES" in os.environ else tmp_path

    def take(opened: Opened, name: str) -> None:
        opened.page.wait_for_timeout(700)  # plots are drawn, and pictures have come
        opened.page.evaluate(NAME_THE_IMAGES_FOLDER, [f"{ROOT}/tests/browser/functions.py", "/app/tasks/tasks.py"])
        opened.page.screenshot(path=folder / f"dashboard-{name}.png")
        assert (folder / f"dashboard-{name}.png").stat().st_size > 10_000

    return take


def failed_task(service: Service) -> int:
    page = service.client.get("/tasks", params={"type": "report", "status": "failed", "error_type": "LookupError"})
    return int(page.json()["tasks"][0]["id"])


@pytest.mark.parametrize(("scheme", "name"), [("light", "overview"), ("dark", "overview-dark")])
def test_the_overview_shows_the_flow(scheme: str, name: str, busy: Service, open_page: Open, take: Take) -> None:
    opened = open_page("/", viewport=SCREEN, color_scheme=scheme)
    expect(opened.find("canvas").first).to_be_visible()
    opened.await_text("counting")
    take(opened, name)


def test_the_overview_fits_a_phone(busy: Service, open_page: Open, take: Take) -> None:
    take(open_page("/", viewport=PHONE, device_scale_factor=2), "overview-phone")


def test_a_filtered_list_shows_the_errors(busy: Service, open_page: Open, take: Take) -> None:
    opened = open_page("/dashboard/tasks?type=report&status=failed", viewport=SCREEN)
    opened.await_text("has no orders")
    take(opened, "tasks")


def test_failures_are_grouped(busy: Service, open_page: Open, take: Take) -> None:
    opened = open_page("/dashboard/failures", viewport=SCREEN)
    opened.await_text("LookupError")
    take(opened, "failures")


def test_a_failed_task_shows_its_log(busy: Service, open_page: Open, take: Take) -> None:
    opened = open_page(f"/dashboard/task/{failed_task(busy)}", viewport=SCREEN)
    opened.await_text("Traceback")
    opened.await_text("reading the orders")
    take(opened, "failed-task")


def test_a_trajectory_is_a_plot(busy: Service, open_page: Open, take: Take) -> None:
    (id, *_) = falls(busy)
    opened = open_page(f"/dashboard/task/{id}", viewport=SCREEN)
    expect(opened.find("#result canvas").first).to_be_visible()
    take(opened, "plot")


def test_two_runs_are_compared(busy: Service, open_page: Open, take: Take) -> None:
    opened = open_page("/dashboard/tasks?type=mov3d", viewport=SCREEN)
    for id in falls(busy):
        opened.find(f"#task-{id} input").check()
    opened.page.get_by_role("button", name="Compare").click()
    opened.await_text("drag")
    expect(opened.find("canvas").first).to_be_visible()
    take(opened, "compare")


def test_an_error_stands_at_its_field(busy: Service, open_page: Open, take: Take) -> None:
    opened = open_page("/dashboard/submit/mov3d?f.dt=-0.1&f.mass=1.5&f.radius=0.1", viewport=SCREEN)
    opened.page.get_by_role("button", name="Submit", exact=True).click()
    expect(opened.find("[aria-invalid=true]").first).to_be_focused()
    take(opened, "form")


def test_a_sweep_is_filled_in(busy: Service, open_page: Open, take: Take) -> None:
    values = "sweep=1&f.dt=0.05&f.r0=0,0,100&f.v0=12,3,4&f.mass=0.1..10 log 25&f.radius=0.05,0.1,0.2&f.drag=true"
    opened = open_page(f"/dashboard/submit/mov3d?{values}", viewport=SCREEN)
    expect(opened.find("#sweep-submit")).to_contain_text("Submit 75 tasks")
    take(opened, "sweep")


def test_the_results_of_a_sweep_are_a_plot(busy: Service, open_page: Open, take: Take) -> None:
    masses = [round(0.1 * 100 ** (nth / 24), 4) for nth in range(25)]
    args = [FALL | {"mass": mass, "radius": radius} for radius in (0.05, 0.1, 0.2) for mass in masses]
    name = "mov3d: mass=0.1..10 log 25, radius=0.05,0.1,0.2"
    batch = {"name": name, "tasks": [{"type": "mov3d", "args": each, "priority": 9} for each in args]}
    id = busy.client.post("/batches", json=batch).raise_for_status().json()["id"]
    eventually(lambda: busy.client.get(f"/batches/{id}").json()["finished"])
    opened = open_page(f"/dashboard/batch/{id}?y=$.times[-1]&log=x", viewport=SCREEN)
    expect(opened.find("#result canvas").first).to_be_visible()
    take(opened, "batch")


def falls(service: Service) -> list[int]:
    tasks = service.client.get("/tasks", params={"type": "mov3d", "status": "done"}).json()["tasks"]
    return sorted(int(task["id"]) for task in tasks)
