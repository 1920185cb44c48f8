"""The page of a task in a browser: it goes on while the task runs, and leaves alone what is being read."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.opened import Opened
from tests.e2e.service import Service

LAST_LINE = "document.querySelector('#log-text')?.innerText.trim().split('\\n').at(-1)"
SCROLLED = "document.querySelector('#log').scrollTop"
CLIPBOARD = ["clipboard-read", "clipboard-write"]


def start(service: Service, **args: object) -> int:
    """Submit a task that counts, and return its id."""
    return int(service.submit("counting", args)["id"])


def await_new_line(opened: Opened) -> str:
    line = opened.page.evaluate(LAST_LINE)
    opened.page.wait_for_function(f"line => {LAST_LINE} !== line", arg=line)
    return str(opened.page.evaluate(LAST_LINE))


def test_the_log_follows_its_end_and_stands_still_while_it_is_read(service: Service, open_page: Open) -> None:
    opened = open_page(f"/dashboard/task/{start(service, steps=400, seconds=0.05)}")
    opened.await_text("step 40 of 400")
    assert opened.page.evaluate(SCROLLED) == 0
    opened.page.evaluate("document.querySelector('#log').scrollTop = -80")
    read, progress = opened.page.evaluate(LAST_LINE), opened.find("#now .percent").inner_text()
    expect(opened.find("#now .percent")).not_to_have_text(progress)
    assert (opened.page.evaluate(LAST_LINE), opened.page.evaluate(SCROLLED)) == (read, -80)
    opened.page.evaluate("document.querySelector('#log').scrollTop = 0")
    await_new_line(opened)
    opened.find("#log").focus()
    await_new_line(opened)
    expect(opened.find("#log")).to_be_focused()
    opened.page.get_by_role("button", name="Cancel").click()
    opened.await_text("cancelled", "h1")


def test_the_result_appears_when_it_is_there(service: Service, open_page: Open) -> None:
    opened = open_page(f"/dashboard/task/{start(service, steps=8, seconds=0.6)}")
    opened.await_text("for ", "#now")
    opened.await_text("Result", "#result")
    expect(opened.find("#result .value")).to_have_text("8")
    opened.await_text("done", "h1")


def test_values_and_the_id_can_be_copied(service: Service, open_page: Open) -> None:
    id = service.run("hostile", {"text": "\u202e <b> 2^63"})["id"]
    opened = open_page(f"/dashboard/task/{id}", permissions=CLIPBOARD)
    opened.find("#result .copy").click()
    expect(opened.find("#result .copy")).to_have_text("Copied")
    assert opened.page.evaluate("navigator.clipboard.readText()") == '"\u202e <b> 2^63"'
    opened.find(".title .copy").click()
    expect(opened.find(".title .copy")).to_have_text("Copied")
    assert opened.page.evaluate("navigator.clipboard.readText()") == str(id)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_task_is_deleted_after_a_question(service: Service, open_page: Open, scripts: bool) -> None:
    id = service.run("add", {"a": 1, "b": 2})["id"]
    other = open_page(f"/dashboard/task/{id}")
    opened = open_page(f"/dashboard/task/{id}", java_script_enabled=scripts)
    opened.find("text=Delete…").click()
    opened.page.get_by_role("button", name="Delete").click()
    expect(opened.find(".notice")).to_have_text(f"Task {id} is deleted.")
    other.await_text("This task is gone")


def test_the_pages_of_a_task_have_no_barriers(
    service: Service, open_page: Open, barriers: Callable[[Page], list[str]]
) -> None:
    failed = service.run("hostile", {"text": "fail <b>"})["id"]
    running = start(service, steps=200, seconds=0.1)
    for path in (f"/{failed}", f"/{running}", f"/{failed}/args", f"/{failed}/args?path=0", f"/{failed}/delete", "/99"):
        opened = open_page(f"/dashboard/task{path}")
        if path == f"/{running}":
            opened.await_text("step 3 of 200")
        assert barriers(opened.page) == [], path
