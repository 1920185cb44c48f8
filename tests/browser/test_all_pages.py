"""What all pages have in common: they read without scripts and without a mouse, in every light, on every screen."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import Open
from tests.e2e.service import Service, eventually

PATHS = [
    "/",
    "/?period=day",
    "/dashboard/tasks",
    "/dashboard/failures",
    "/dashboard/batches",
    "/dashboard/batch/1",
    "/dashboard/task/1",
    "/dashboard/types",
    "/dashboard/type/mov3d",
    "/dashboard/handlers",
    "/dashboard/submit",
    "/dashboard/submit/mov3d",
    "/dashboard/submit/mov3d?sweep=1",
    "/dashboard/compare?ids=1,2",
]
HIDE = """
    Object.defineProperty(document, "hidden", {value: true});
    document.dispatchEvent(new Event("visibilitychange"));
"""
PHONE = ViewportSize(width=360, height=740)


@pytest.fixture(autouse=True)
def some_tasks(service: Service) -> None:
    """A task of each end."""
    if service.client.get("/task/1").status_code == 200:
        return
    service.run("add", {"a": 1, "b": 2})
    service.run("mov3d", {"dt": 0.1, "r0": [0, 0, -1], "v0": [1, 0, 0], "mass": 1, "radius": 0.1})
    service.run("hostile", {"text": "<img src=x onerror=alert(1)> fail \u202egnp.exe"})
    items = [{"type": "same", "args": {"value": value}} for value in (1, 2)]
    items.append({"type": "hostile", "args": {"text": "fail"}})
    service.client.post("/batches", json={"name": "a <b>batch</b>", "open": True, "tasks": items}).raise_for_status()
    eventually(lambda: service.client.get("/batches/1").json()["counts"]["done"] == 2)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_no_barriers_and_fits_a_phone(
    path: str, open_page: Open, barriers: Callable[[Page], list[str]]
) -> None:
    opened = open_page(path, color_scheme="light", reduced_motion="reduce")
    assert barriers(opened.page) == []
    opened.page.emulate_media(color_scheme="dark")
    assert barriers(opened.page) == []
    opened.page.emulate_media(forced_colors="active")
    expect(opened.find("h1")).to_be_visible()
    opened.page.set_viewport_size(PHONE)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("path", PATHS)
def test_a_page_reads_without_scripts(path: str, open_page: Open) -> None:
    opened = open_page(path, java_script_enabled=False)
    expect(opened.find("h1")).to_be_visible()
    assert len(opened.text) > 20


def test_what_a_user_wrote_is_shown_and_does_nothing(open_page: Open) -> None:
    for path in ("/dashboard/tasks", "/dashboard/task/3"):
        opened = open_page(path)
        opened.await_text("<img src=x onerror=alert(1)>")
        assert opened.find("main img[src=x]").count() == 0


class TestKeys:
    def test_a_slash_goes_to_the_search(self, open_page: Open) -> None:
        opened = open_page("/")
        opened.page.keyboard.press("/")
        expect(opened.find("#find")).to_be_focused()
        opened.page.keyboard.type("1")
        opened.page.keyboard.press("Enter")
        opened.page.wait_for_url("**/dashboard/task/1")

    def test_a_question_mark_lists_the_keys(self, open_page: Open) -> None:
        opened = open_page("/")
        opened.page.keyboard.press("?")
        expect(opened.find("#keys")).to_be_visible()
        opened.page.keyboard.press("Escape")
        expect(opened.find("#keys")).to_be_hidden()

    def test_two_keys_go_to_a_page(self, open_page: Open) -> None:
        opened = open_page("/")
        opened.page.keyboard.press("g")
        opened.page.keyboard.press("t")
        opened.page.wait_for_url("**/dashboard/tasks")

    def test_rows_are_walked_and_opened(self, open_page: Open) -> None:
        opened = open_page("/dashboard/tasks")
        opened.page.keyboard.press("j")
        opened.page.keyboard.press("j")
        opened.page.keyboard.press("k")
        opened.page.keyboard.press("Enter")
        opened.page.wait_for_url(re.compile(r"/dashboard/task/\d+$"))

    def test_the_first_tab_leads_past_the_navigation(self, open_page: Open) -> None:
        opened = open_page("/")
        opened.page.keyboard.press("Tab")
        expect(opened.find(".skip")).to_be_focused()
        opened.page.keyboard.press("Enter")
        expect(opened.find("main")).to_be_focused()


class TestLiveRegion:
    def test_a_new_task_appears(self, open_page: Open, service: Service) -> None:
        opened = open_page("/dashboard/tasks")
        id = service.run("add", {"a": 1, "b": 2})["id"]
        expect(opened.find(f"#task-{id}")).to_contain_text("done")

    def test_nothing_moves_while_text_is_selected(self, open_page: Open, service: Service) -> None:
        opened = open_page("/dashboard/tasks")
        opened.find("tbody tr td").first.select_text()
        id = service.run("add", {"a": 1, "b": 2})["id"]
        opened.page.wait_for_timeout(2500)
        expect(opened.find(f"#task-{id}")).to_have_count(0)
        opened.page.evaluate("getSelection().removeAllRanges()")
        expect(opened.find(f"#task-{id}")).to_have_count(1)

    def test_nothing_moves_while_a_row_is_focused(self, open_page: Open, service: Service) -> None:
        opened = open_page("/dashboard/tasks")
        opened.page.keyboard.press("j")
        id = service.run("add", {"a": 1, "b": 2})["id"]
        opened.page.wait_for_timeout(2500)
        expect(opened.find(f"#task-{id}")).to_have_count(0)
        opened.page.evaluate("document.activeElement.blur()")
        expect(opened.find(f"#task-{id}")).to_have_count(1)

    def test_a_region_that_is_away_says_so(self, open_page: Open) -> None:
        opened = open_page("/dashboard/tasks")
        opened.page.wait_for_timeout(1500)  # the stream is connected by then
        opened.page.evaluate("document.dispatchEvent(new CustomEvent('htmx:sse:error'))")
        expect(opened.find("#stream-state")).to_be_visible()

    def test_times_are_those_of_the_reader(self, open_page: Open) -> None:
        zones = {zone: open_page("/dashboard/task/1", timezone_id=zone) for zone in ("Asia/Tokyo", "America/Lima")}
        shown = {opened.find("main time").first.inner_text() for opened in zones.values()}
        assert len(shown) == 2
        assert all("UTC" not in each for each in shown)


class TestForms:
    def test_a_form_works_without_scripts(self, open_page: Open, service: Service) -> None:
        id = service.submit("counting", {"steps": 1}, delay=3600)["id"]
        opened = open_page(f"/dashboard/task/{id}", java_script_enabled=False)
        opened.page.get_by_role("button", name="Cancel").first.click()
        expect(opened.find(".notice")).to_contain_text("cancelled")
        assert service.view(id)["status"] == "cancelled"


def test_a_hidden_page_keeps_no_stream(open_page: Open, service: Service) -> None:
    opened = open_page("/dashboard/tasks")
    streams = []
    opened.page.on("requestfinished", lambda request: streams.append(request.url))
    opened.page.on("requestfailed", lambda request: streams.append(request.url))
    opened.page.wait_for_timeout(1000)
    opened.page.evaluate(HIDE)
    opened.page.wait_for_timeout(1000)
    assert streams
