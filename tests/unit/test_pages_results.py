"""The result on the page of a task: content, escaping, bounds, and settings in the address."""

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from math import sin
from time import thread_time
from typing import Any

import pytest
from markupsafe import escape

from tests.unit.http_service import Service, configured

HOSTILE = "<script>alert(1)</script>\"'&\u202e"
MAX_ADDED_BYTES = 100_000
ONE_FOR_EACH_SHAPE = {
    "lines": {"t": [0, 1, 2], "y": [0.5, None, 1e-320], HOSTILE: [1, 2, 3], "unit": HOSTILE},
    "heat": [[1, 2, 3], [4, None, 6]],
    "table": [{"id": 2**63 + 1, HOSTILE: HOSTILE}, {"id": 1.5, "b": [{"c": HOSTILE}]}],
    "scalars": {"a": 1e-320, HOSTILE: HOSTILE},
    "text": f"{HOSTILE}\n# no heading",
    "tree": {"a": {"b": HOSTILE}},
}


@pytest.fixture
def service() -> Service:
    service = Service()
    service.publish("default")
    return service


def _finished(service: Service, result: Any) -> None:
    _finished_with(service, json.dumps(result))


def _finished_with(service: Service, text: str) -> None:
    service.submit({"required_arg": 1})
    service.succeed(text)


def _page(service: Service, query: str = "", id: int = 1) -> str:
    answer = service.client.get(f"/dashboard/task/{id}{query}")
    assert answer.status_code == 200, answer.text
    found = re.search(r'<section id="result".*?</section>', answer.text, re.DOTALL)
    return found[0] if found else ""


def _spec(page: str) -> Any:
    found = re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def _cells(page: str) -> list[str]:
    return [unescape(each) for each in re.findall(r"<td[^>]*>(.*?)</td>", page)]


@pytest.mark.parametrize("result", ONE_FOR_EACH_SHAPE.values(), ids=ONE_FOR_EACH_SHAPE)
def test_result_of_each_shape_is_escaped_and_its_raw_text_is_there(service: Service, result: Any) -> None:
    _finished(service, result)
    page = _page(service)
    assert "<script>alert" not in page
    seen = re.sub(r"<(script|option|fieldset).*?</\1>|<[^>]*>", "", page, flags=re.DOTALL)
    assert "\u202e" not in seen
    assert escape(json.dumps(result)) in page.split('id="result-raw"')[1]


def test_series_are_a_plot_with_their_numbers_as_they_stand_in_the_text(service: Service) -> None:
    _finished_with(service, '{"t":[0,1,2],"y":[1.50,null,1e-320]}')
    page = _page(service)
    assert _spec(page)["series"] == [{"name": "y", "values": [1.5, None, 0.0]}]
    assert _cells(page) == ["0", "1.50", "1", "null", "2", "1e-320"]
    assert "plots.js" in service.client.get("/dashboard/task/1").text


def test_mov3d_is_plotted_without_any_setting(service: Service) -> None:
    _finished(service, {"times": [0.0, 0.5, 1.0], "positions": [[0, 0, 10], [1, 0, 9], [2, 0, 5]]})
    spec = _spec(_page(service))
    assert spec["x"]["name"] == "times"
    assert [series["name"] for series in spec["series"]] == ["positions[0]", "positions[1]", "positions[2]"]


def test_settings_of_a_plot_stand_in_its_address(service: Service) -> None:
    _finished(service, {"t": [1, 2, 3], "a": [4, 5, 6], "b": [7, 9, 8]})
    page = _page(service, "?x=a&y=b&log=x&other=kept")
    spec = _spec(page)
    assert (spec["x"]["name"], spec["x"]["log"], [each["name"] for each in spec["series"]]) == ("a", True, ["b"])
    assert '<option value="a" selected>' in page
    assert '<input type="hidden" name="other" value="kept">' in page


@pytest.mark.parametrize("query", ["?x=no&y=no&log=z", "?row=0", "?row=-5", "?row=99999999999", "?row=x&sort=no&as=no"])
@pytest.mark.parametrize("result", ONE_FOR_EACH_SHAPE.values(), ids=ONE_FOR_EACH_SHAPE)
def test_settings_that_mean_nothing_change_nothing(service: Service, result: Any, query: str) -> None:
    _finished(service, result)
    assert _page(service, query)


def test_objects_are_a_table_that_the_address_sorts(service: Service) -> None:
    _finished(service, [{"a": 2, "b": "x"}, {"a": 10}, {"a": None, "b": 5}])
    assert _cells(_page(service)) == ["2", "x", "10", "–", "null", "5"]
    page = _page(service, "?sort=a")
    assert _cells(page) == ["2", "x", "10", "–", "null", "5"]
    assert 'aria-sort="ascending"' in page
    assert "/dashboard/task/1?sort=a&amp;order=down#result" in page
    assert _cells(_page(service, "?sort=a&order=down")) == ["10", "–", "2", "x", "null", "5"]
    assert _cells(_page(service, "?sort=b"))[:2] == ["null", "5"]


def test_a_long_table_is_shown_page_by_page(service: Service) -> None:
    _finished(service, [{"n": number} for number in range(250)])
    page = _page(service)
    assert "Rows 1 to 100 of 250" in page
    assert "row=101#result" in page
    assert _cells(_page(service, "?row=201&sort=n&order=down")) == [str(number) for number in range(49, -1, -1)]


def test_numbers_of_a_long_plot_are_shown_page_by_page(service: Service) -> None:
    _finished(service, {"t": [*range(250)], "r": [[number, -number] for number in range(250)]})
    assert _cells(_page(service, "?row=249")) == ["248", "248", "-248", "249", "249", "-249"]


def test_a_matrix_is_a_heat_map_with_a_table(service: Service) -> None:
    _finished_with(service, "[[1.0,2],[null,4]]")
    page = _page(service)
    assert _spec(page) == {"cells": [[1, 2], [None, 4]], "height": 2, "width": 2}
    assert _cells(page) == ["1.0", "2", "null", "4"]
    assert "data-heat" in page


def test_a_matrix_can_be_lines_and_a_long_one_is(service: Service) -> None:
    _finished(service, [[1, 2], [3, 4]])
    _finished(service, [[number, 2] for number in range(50)])
    assert "data-plot" in _page(service, "?as=lines")
    assert "data-plot" in _page(service, id=2)
    assert "data-heat" in _page(service, "?as=heat", id=2)


def test_a_data_url_is_a_picture_that_is_sent_as_a_file(service: Service) -> None:
    _finished(service, "data:image/svg+xml,<svg onload='alert(1)'/>")
    assert '<img src="/dashboard/task/1/picture"' in _page(service)
    answer = service.client.get("/dashboard/task/1/picture")
    assert (answer.content_type, answer.data) == ("image/svg+xml", b"<svg onload='alert(1)'/>")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="task-1.svg"'
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_csv_of_a_result_is_a_file(service: Service) -> None:
    _finished_with(service, '{"t":[0,1],"y":[1.50,null]}')
    answer = service.client.get("/dashboard/task/1/result.csv")
    assert (answer.text, answer.mimetype) == ("t,y\r\n0,1.50\r\n1,\r\n", "text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="task-1.csv"'


@pytest.mark.parametrize(
    ("result", "csv"),
    [
        ([{"=f": "=1+1", "b": -1}, {"b": "-1"}], "'=f,b\r\n'=1+1,-1\r\n,-1\r\n"),
        (
            {"@name": "+49 1", "n": -1.5, "s": "-2+cmd|' /C calc'!A0"},
            "'@name,'+49 1\r\nn,-1.5\r\ns,'-2+cmd|' /C calc'!A0\r\n",
        ),
        ({"-x": [1, 2], "y": [-1, 2]}, "'-x,y\r\n1,-1\r\n2,2\r\n"),
    ],
)
def test_csv_has_no_formula_that_a_spreadsheet_would_carry_out(service: Service, result: Any, csv: str) -> None:
    _finished(service, result)
    assert service.client.get("/dashboard/task/1/result.csv").text.removeprefix("name,value\r\n") == csv


@pytest.mark.parametrize("path", ["result.csv", "picture"])
def test_file_of_a_result_that_has_none_is_404(service: Service, path: str) -> None:
    service.submit({"required_arg": 1})
    assert service.client.get(f"/dashboard/task/1/{path}").status_code == 404
    service.succeed('"text"')
    assert service.client.get(f"/dashboard/task/1/{path}").status_code == 404
    assert service.client.get(f"/dashboard/task/x/{path}").status_code == 404


def test_task_without_a_result_has_none_on_its_page(service: Service) -> None:
    service.submit({"required_arg": 1})
    assert "Raw text" not in _page(service)


def test_result_stands_outside_of_the_live_region(service: Service) -> None:
    _finished(service, [1, 2])
    stream = service.client.get("/dashboard/task/1", headers={"Accept": "text/event-stream"}, buffered=False)
    events: Iterator[bytes] = stream.iter_encoded()
    assert b'id="result"' not in next(events) + next(events)
    stream.close()


def test_script_that_asks_for_a_whole_page_is_sent_no_event_stream(service: Service) -> None:
    _finished(service, [1, 2])
    headers = {"Accept": "text/html, text/event-stream", "HX-Request-Type": "full"}
    assert service.client.get("/dashboard/task/1", headers=headers).mimetype == "text/html"


def test_addresses_of_a_result_have_the_path_of_the_public_address() -> None:
    service = configured(backend_url="https://example.org/tasks")
    service.publish("default")
    _finished(service, [{"a": 1}])
    page = _page(service)
    assert 'href="/tasks/dashboard/task/1?sort=a#result"' in page
    assert 'href="/tasks/dashboard/task/1/result.csv"' in page


def test_links_that_lead_away_swap_nothing(service: Service) -> None:
    _finished(service, {"t": [0, 1], "y": [1, 2]})
    before, swapped = _page(service).split("hx-boost", 1)
    assert "/dashboard/compare" in before
    assert "/dashboard/compare" not in swapped
    assert 'class="settings"' in swapped


LARGE: dict[str, Callable[[], Any]] = {
    "lines": lambda: {"t": [i / 1000 for i in range(250_000)], "y": [sin(i) for i in range(250_000)]},
    "series": lambda: {f"s{n}": [sin(i * n) for i in range(15_000)] for n in range(60)},
    "heat": lambda: [[sin(r * c) for c in range(900)] for r in range(900)],
    "table": lambda: [{f"f{n}": "v" * 50 for n in range(20)} for _ in range(10_000)],
    "integers": lambda: [{"n": 10**4200} for _ in range(3_000)],
    "text": lambda: "<&'\"" * 4_000_000,
    "tree": lambda: {"a": {"b": [1] * 4_000_000}},
    "fields": lambda: [{"é&" * 5_000 + str(n): n for n in range(20)}] * 50,
    "names": lambda: {f"{n}" + "k" * 20_000: n for n in range(400)},
}


@pytest.mark.parametrize("shape", LARGE)
def test_a_large_result_adds_little_to_the_page(service: Service, shape: str) -> None:
    result = json.dumps(LARGE[shape]())
    assert len(result) > 5_000_000
    _finished_with(service, result)
    began = thread_time()
    page = _page(service)
    assert len(page.encode()) < MAX_ADDED_BYTES
    assert thread_time() - began < 10  # seconds; it is one or so where nothing else runs
