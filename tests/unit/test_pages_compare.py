"""The page that compares tasks: what differs, plots, and ids that cannot be compared."""

import json
import re
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest

from entrypoints.http.pages.results.comparing import arguments_of
from tests.unit.http_service import Service

HOSTILE = "<script>alert(1)</script>\"'\u202e"


@pytest.fixture
def service() -> Service:
    service = Service()
    service.publish("default")
    service.publish("other")
    return service


def _task(service: Service, args: Any, result: Any = None, type: str = "default") -> int:
    id = service.submit(args, f"/task/new/{type}")["id"]
    if result is not None:
        service.succeed(json.dumps(result), type)
    return int(id)


def _page(service: Service, query: str) -> str:
    answer = service.client.get(f"/dashboard/compare{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


def _rows(page: str, label: str) -> dict[str, list[str]]:
    """The rows of the table in a region, by their first cell."""
    found = re.search(rf'aria-label="{label}".*?</table>', page, re.DOTALL)
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', found[0] if found else "", re.DOTALL)
    return {unescape(name): list(map(unescape, re.findall(r"<td[^>]*>(.*?)</td>", cells))) for name, cells in rows}


def test_arguments_that_differ_are_shown_and_equal_ones_are_folded_away(service: Service) -> None:
    _task(service, {"required_arg": 1, "n": 1, "deep": {"a": 1, "b": [1]}, "only": 0})
    _task(service, {"required_arg": 1, "n": 1.0, "deep": {"a": 1, "b": [2]}})
    page = _page(service, "?ids=1,2")
    assert _rows(page, "Arguments that differ") == {"n": ["1", "1.0"], "deep.b": ["[1]", "[2]"], "only": ["0", "–"]}
    assert "2 the same" in page


def test_single_values_of_results_are_side_by_side(service: Service) -> None:
    _task(service, {"required_arg": 1}, {"mean": 1.50, "n": 2**63 + 1, "list": [1, "two"]})
    _task(service, {"required_arg": 1}, {"mean": 2, "n": 2**63 + 1})
    page = _page(service, "?ids=1,2")
    assert _rows(page, "Values of the results that differ") == {"mean": ["1.5", "2"]}
    assert str(2**63 + 1) in page


def test_results_that_are_one_value_are_side_by_side(service: Service) -> None:
    _task(service, {"required_arg": 1}, 5)
    _task(service, {"required_arg": 1}, "five")
    assert _rows(_page(service, "?ids=1,2"), "Values of the results that differ") == {"result": ["5", "five"]}


def test_series_of_the_same_name_are_in_one_plot(service: Service) -> None:
    _task(service, {"required_arg": 1}, {"t": [0, 1], "y": [1, 2]})
    _task(service, {"required_arg": 1}, {"t": [0, 1], "y": [3, 4]})
    page = _page(service, "?ids=1,2&log=y")
    specs = re.findall(r'<script type="application/json">(.*?)</script>', page)
    [spec] = map(json.loads, specs)
    assert [(each["name"], each["values"]) for each in spec["series"]] == [("task 1", [1, 2]), ("task 2", [3, 4])]
    assert spec["y"] == {"log": True}


def test_statuses_and_durations_are_side_by_side(service: Service) -> None:
    _task(service, {"required_arg": 1}, 5)
    _task(service, {"required_arg": 1})
    page = _page(service, "?ids=1&id=2")
    assert "done</span>" in page
    assert "waiting</span>" in page
    assert _rows(page, "Tasks")["Ran"][1] == "–"


@pytest.mark.parametrize("query", ["?ids=1,2", "?ids=1&ids=2", "?id=1&id=2", "?ids=1&id=2", "?ids=+1+,+2,,1"])
def test_ids_may_stand_in_one_parameter_or_in_several(service: Service, query: str) -> None:
    _task(service, {"required_arg": 1})
    _task(service, {"required_arg": 2})
    assert _rows(_page(service, query), "Arguments that differ") == {"required_arg": ["1", "2"]}


def test_unknown_ids_and_other_types_are_named_and_the_rest_is_compared(service: Service) -> None:
    _task(service, {"required_arg": 1})
    _task(service, {"required_arg": 2})
    _task(service, {}, type="other")
    page = unescape(_page(service, "?ids=1,77,2,3,%3Cb%3E,99999999999999999999"))
    for sentence in (
        "There is no task 77.",
        "There is no task <b>.",
        "There is no task 99999999999999999999.",
        "Task 3 is of type other, not default, so it is left out.",
    ):
        assert sentence in page
    assert _rows(page, "Arguments that differ") == {"required_arg": ["1", "2"]}


def test_more_than_eight_ids_are_left_out(service: Service) -> None:
    for number in range(10):
        _task(service, {"required_arg": number})
    page = _page(service, "?ids=1,2,3,4,5,6,7,8,9,10")
    assert "At most 8 tasks are compared. Left out: 9, 10." in page
    assert len(_rows(page, "Arguments that differ")["required_arg"]) == 8
    assert 'name="id"' not in page


def test_no_ids_say_how_to_begin(service: Service) -> None:
    page = _page(service, "")
    assert "There is nothing to compare yet" in page
    assert 'name="id"' in page


def test_one_task_offers_others_of_its_type(service: Service) -> None:
    _task(service, {"required_arg": 1})
    _task(service, {"required_arg": 2})
    _task(service, {}, type="other")
    page = _page(service, "?ids=1")
    assert 'href="/dashboard/compare?ids=1%2C2"' in page
    assert "ids=1%2C3" not in page


def test_arguments_results_and_errors_are_escaped(service: Service) -> None:
    for number in range(2):
        _task(service, {"required_arg": f"{HOSTILE}{number}", HOSTILE: number}, {HOSTILE: f"{HOSTILE}{number}"})
    page = _page(service, f"?ids=1,2,{quote(HOSTILE)}")
    assert "<script>alert" not in page
    assert "\u202e" not in re.sub("<[^>]*>", "", page)


def test_a_result_that_is_too_large_is_not_compared(service: Service) -> None:
    _task(service, {"required_arg": 1}, "x" * 4_000_001)
    _task(service, {"required_arg": 1}, "y")
    assert "The result of task 1 is too large to be compared." in _page(service, "?ids=1,2")


def test_a_comparison_of_large_results_is_a_small_page(service: Service) -> None:
    for number in range(8):
        result = {"t": [i + number / 9 for i in range(9_000)], "y": [0.1 * i for i in range(9_000)]}
        _task(service, {"required_arg": "a" * 50_000 + str(number)}, result)
    assert len(_page(service, "?ids=1,2,3,4,5,6,7,8")) < 250_000


def test_a_long_name_does_not_stand_before_the_names_of_many_members() -> None:
    members = {str(number): number for number in range(1_000)}
    named = arguments_of(json.dumps({"long" * 1_000: members, "short": members}))
    assert len(named) == 1_001
    assert sum(map(len, named)) < 20_000
