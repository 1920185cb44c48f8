"""Each action of the pages by a person with a browser: on one task, on many, by a form, on a result."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open
from tests.browser.opened import Opened
from tests.e2e.service import Service, eventually

BELOW_GROUND = {"dt": 0.1, "r0": [0, 0, -1], "v0": [1, 0, 0], "mass": 1, "radius": 0.1}
BOTH = pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
NUMBER_OF_SHADES = """
    each => new Set(each.getContext("2d").getImageData(0, 0, each.width, each.height).data).size
"""
NUMBER_OF_COLOURED_PIXELS = """each => {
    const { data } = each.getContext("2d").getImageData(0, 0, each.width, each.height);
    let coloured = 0;
    for (let at = 0; at < data.length; at += 4) {
        const [red, green, blue, alpha] = data.slice(at, at + 4);
        if (alpha > 100 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60) coloured += 1;
    }
    return coloured;
}"""
"""Axes and grids are grey."""
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8BwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
SHAPES = {
    "table": [{"name": "b", "size": 10}, {"name": "a", "size": 2}],
    "heat": [[row * column for column in range(12)] for row in range(9)],
    "picture": f"data:image/png;base64,{PIXEL}",
    "gaps": {"x": [*range(400)], "y": [*[None] * 398, 7.5, None]},
    "text": "<b>no HTML</b>",
}


def button(opened: Opened, name: str) -> Locator:
    return opened.page.get_by_role("button", name=name, exact=True)


@BOTH
def test_a_failed_task_is_retried(scripts: bool, service: Service, open_page: Open) -> None:
    id = service.run("mov3d", BELOW_GROUND)["id"]
    opened = open_page(f"/dashboard/task/{id}", java_script_enabled=scripts)
    button(opened, "Retry").click()
    expect(opened.find(".notice")).to_contain_text(f"Task {id}")
    assert service.await_status(id, "failed")["attempt"] == 2


@BOTH
def test_a_type_is_paused_and_resumed(scripts: bool, service: Service, open_page: Open) -> None:
    opened = open_page("/dashboard/type/same", java_script_enabled=scripts)
    button(opened, "Pause").click()
    # The page may learn of the pause, by its events, before the answer to the form has come.
    expect(opened.find(".notice")).to_have_text("same is paused: nothing of it starts.")
    expect(opened.find("#paused")).to_contain_text("This type is paused.")
    id = service.submit("same", {"value": 1})["id"]
    assert service.view(id)["waiting_for"] == "paused"
    button(opened, "Resume").click()
    expect(opened.find(".notice")).to_have_text("same goes on.")
    service.await_status(id, "done")


@BOTH
def test_limits_are_set_by_a_form_and_removed(scripts: bool, service: Service, open_page: Open) -> None:
    opened = open_page("/dashboard/type/same", java_script_enabled=scripts)
    at_once = opened.page.get_by_label("At once", exact=True)
    at_once.fill("4")
    at_once.press("Enter")
    expect(opened.find("#gauge")).to_contain_text("0 of 4 at once")
    at_once.fill("many")
    button(opened, "Set limits").click()
    expect(opened.find("#limit-at_once-error")).to_contain_text("Must be a whole number")
    expect(at_once).to_be_focused()
    button(opened, "Remove what was set").click()
    expect(opened.find("#limits")).to_contain_text("there is no limit")


def test_the_gauge_of_a_type_follows_its_limits(
    service: Service, open_page: Open, barriers: Callable[[Page], list[str]]
) -> None:
    opened, other = open_page("/dashboard/type/hostile"), open_page("/dashboard/type/hostile")
    other.page.get_by_label("Burst", exact=True).fill("5")
    opened.page.get_by_label("At once", exact=True).fill("4")
    button(opened, "Set limits").click()
    button(opened, "Pause").click()
    expect(other.find("#gauge")).to_contain_text("0 of 4 at once")
    expect(other.find("#paused")).to_be_visible()
    expect(other.page.get_by_label("Burst", exact=True)).to_have_value("5")
    for path in ("/dashboard/type/hostile", "/dashboard/types"):
        assert barriers(opened.go(path).page) == []
    button(opened.go("/dashboard/type/hostile"), "Remove what was set").click()
    expect(opened.find("#limits")).to_contain_text("there is no limit")


@BOTH
def test_a_task_is_deleted_behind_a_question(scripts: bool, service: Service, open_page: Open) -> None:
    id = service.run("add", {"a": 1, "b": 2})["id"]
    opened = open_page(f"/dashboard/task/{id}", java_script_enabled=scripts)
    opened.page.get_by_text("Delete…").first.click()
    assert service.view(id)["status"] == "done"
    opened.page.get_by_role("button", name=re.compile("^Delete")).last.click()
    expect(opened.find(".notice")).to_contain_text("deleted")
    assert service.status(f"/task/{id}") == 404


@BOTH
def test_all_that_match_are_changed_behind_a_question(scripts: bool, service: Service, open_page: Open) -> None:
    ids = [service.submit("counting", {"steps": 1}, delay=3600)["id"] for _ in range(30)]
    opened = open_page("/dashboard/tasks?type=counting&status=waiting", java_script_enabled=scripts)
    opened.page.get_by_role("link", name="Cancel…").click()
    expect(opened.find("h1")).to_have_text("Cancel 30 tasks?")
    later = service.submit("counting", {"steps": 1}, delay=3600)["id"]
    button(opened, "Cancel 30 tasks").click()
    expect(opened.find(".notice")).to_contain_text("30")
    assert {service.view(id)["status"] for id in ids} == {"cancelled"}
    assert service.view(later)["status"] == "waiting"
    expect(opened.page).to_have_url(re.compile("type=counting"))
    service.client.post(f"/task/{later}/cancel")


def test_checked_tasks_alone_are_changed(service: Service, open_page: Open) -> None:
    ids = [service.submit("add", {"a": 1, "b": 2}, delay=3600)["id"] for _ in range(3)]
    opened = open_page("/dashboard/tasks?type=add&status=waiting")
    for id in ids[:2]:
        opened.find(f"#task-{id} input").check()
    button(opened, "Cancel").click()
    button(opened, "Cancel 2 tasks").click()
    expect(opened.find(".notice")).to_contain_text("2")
    assert [service.view(id)["status"] for id in ids] == ["cancelled", "cancelled", "waiting"]
    service.client.post(f"/task/{ids[2]}/cancel")


@BOTH
def test_a_form_submits_numbers_as_they_were_typed(scripts: bool, service: Service, open_page: Open) -> None:
    opened = open_page("/dashboard/submit/add", java_script_enabled=scripts)
    opened.page.get_by_label("a", exact=True).fill("9223372036854775809")
    opened.page.get_by_label("b", exact=True).fill("1e-320")
    button(opened, "Submit").click()
    opened.page.wait_for_url(re.compile(r"/dashboard/task/\d+$"))
    id = int(opened.page.url.rpartition("/")[2])
    assert '"a":9223372036854775809' in service.client.get(f"/task/{id}").text
    expect(opened.find("main")).to_contain_text("9223372036854775809")


@BOTH
def test_a_sweep_says_its_number_and_is_drawn(scripts: bool, service: Service, open_page: Open) -> None:
    opened = open_page("/dashboard/submit/add", java_script_enabled=scripts)
    button(opened, "Several values").click()
    opened.page.get_by_label("a", exact=True).fill("0..0.3 step 0.1")
    opened.page.get_by_label("b", exact=True).fill("1,2,5")
    if not scripts:
        opened.find("button[value=submit]").click()
    button(opened, "Submit 12 tasks").click()
    opened.page.wait_for_url(re.compile(r"/dashboard/batch/\d+$"))
    expect(opened.find("h1")).to_contain_text("add: a=0..0.3 step 0.1, b=1,2,5")
    id = opened.page.url.rpartition("/")[2]
    eventually(lambda: service.client.get(f"/batches/{id}").json()["counts"]["done"] == 12)
    if scripts:
        expect(opened.find("#tile-done")).to_contain_text("12")
        expect(opened.find("#result")).to_contain_text("12 points of 12 done tasks")
        opened.find("#result select[name=x]").select_option("b")
        expect(opened.find("#batch-plot .u-legend")).to_contain_text("a=0.1")
        assert opened.find("#batch-plot canvas").first.evaluate(NUMBER_OF_COLOURED_PIXELS) > 50
        return
    opened.go(f"/dashboard/batch/{id}?x=b")
    assert opened.find("#batch-plot tbody tr").count() == 3


@BOTH
def test_a_task_is_run_again_with_changes(scripts: bool, service: Service, open_page: Open) -> None:
    origin = service.run("mov3d", BELOW_GROUND)["id"]
    opened = open_page(f"/dashboard/task/{origin}", java_script_enabled=scripts)
    opened.page.get_by_role("link", name="Run again with changes").click()
    opened.page.get_by_label("mass", exact=True).fill("2.50")
    opened.page.get_by_label("r0", exact=True).fill("0, 0, 10")
    button(opened, "Run again").click()
    opened.page.wait_for_url(re.compile(r"/dashboard/task/\d+$"))
    id = int(opened.page.url.rpartition("/")[2])
    expect(opened.find(".lineage")).to_contain_text(f"Run again of task {origin}")
    expect(opened.find(".changes")).to_contain_text("mass")
    task = service.await_status(id, "done")
    assert task["args"] == BELOW_GROUND | {"mass": 2.5, "r0": [0, 0, 10]}


@BOTH
def test_a_table_of_a_result_sorts(scripts: bool, service: Service, open_page: Open) -> None:
    opened = open_page(shown(service, "table"), java_script_enabled=scripts)
    for expected in (["2", "10"], ["10", "2"]):
        opened.page.get_by_role("link", name=re.compile("^size")).first.click()
        expect(opened.find("#result table").first.locator("tbody td:last-child")).to_have_text(expected)


def test_a_matrix_is_a_heat_map(service: Service, open_page: Open) -> None:
    opened = open_page(shown(service, "heat"))
    canvas = opened.find("#result canvas").first
    expect(canvas).to_be_visible()
    assert canvas.evaluate(NUMBER_OF_SHADES) > 10


def test_a_value_between_gaps_is_drawn(service: Service, open_page: Open) -> None:
    opened = open_page(shown(service, "gaps"))
    canvas = opened.find("#result canvas").first
    expect(canvas).to_be_visible()
    assert canvas.evaluate(NUMBER_OF_COLOURED_PIXELS) > 5


def test_a_picture_of_a_result_is_shown(service: Service, open_page: Open) -> None:
    picture = open_page(shown(service, "picture")).find("#result img")
    expect(picture).to_be_visible()
    assert picture.evaluate("each => each.decode().then(() => each.naturalWidth)") == 1


def test_a_text_of_a_result_is_text(service: Service, open_page: Open) -> None:
    opened = open_page(shown(service, "text"))
    expect(opened.find("#result pre").first).to_have_text("<b>no HTML</b>")
    assert opened.find("#result b").count() == 0


def test_a_result_is_downloaded_as_it_is(service: Service, open_page: Open) -> None:
    opened = open_page(shown(service, "table"))
    with opened.page.expect_download() as download:
        opened.page.get_by_role("link", name="Download as CSV").click()
    assert download.value.path().read_text(encoding="utf-8-sig").split() == ["name,size", "b,10", "a,2"]


def test_a_group_of_failures_leads_to_its_tasks(service: Service, open_page: Open) -> None:
    service.run("mov3d", BELOW_GROUND)
    opened = open_page("/dashboard/failures")
    row = opened.find("tr", has_text="is below the ground, at z")
    row.get_by_role("link").first.click()
    expect(opened.find("tbody tr").first).to_contain_text("r0 is below the ground")


def shown(service: Service, shape: str) -> str:
    """The path of the page of a task whose result has this shape."""
    return f"/dashboard/task/{service.run('same', {'value': SHAPES[shape]})['id']}"
