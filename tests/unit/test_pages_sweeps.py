"""Sweeps: a form whose fields have several values submits a batch of tasks."""

import json
import re
from typing import Any
from urllib.parse import unquote

import pytest
from werkzeug.test import TestResponse

from application.json.text import dump
from domain.ids import TaskId
from entrypoints.http.pages.forms import sweep
from tests.unit.browser_form import form_of_page
from tests.unit.http_service import Service

FALL = {
    "type": "object",
    "properties": {
        "dt": {"type": "number", "minimum": 0},
        "n": {"type": "integer"},
        "name": {"type": "string"},
        "drag": {"type": "boolean"},
        "to": {"type": "object", "properties": {"x": {"type": "number"}, "y": {"type": "number"}}},
        "r": {"type": "array", "items": {"type": "number"}},
        "size": {"anyOf": [{"type": "number"}, {"type": "string"}]},
    },
    "required": ["dt"],
    "additionalProperties": False,
}
FORM = "/dashboard/submit/fall"


@pytest.fixture
def service() -> Service:
    service = Service()
    service.publish("fall", dump(FALL))
    return service


def page(service: Service, query: str = "?sweep=1") -> str:
    answer = service.client.get(f"{FORM}{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


def post(service: Service, sent: dict[str, str], do: str = "submit") -> TestResponse:
    """Send a form as a browser does, in which boxes of one name are sent one by one."""
    fields = {name: text.split("\n") if name in ("f.drag",) else text for name, text in sent.items()}
    return service.client.post(FORM, data={**fields, "do": do})


def fill(service: Service, changes: dict[str, str], do: str = "submit", query: str = "?sweep=1") -> TestResponse:
    return post(service, form_of_page(page(service, query)) | changes, do)


def submit(service: Service, **changes: str) -> TestResponse:
    """Press the button, and press it again once it names the number of tasks."""
    answer = fill(service, {f"f.{name}": text for name, text in changes.items() if name != "how"} | _how(changes))
    return post(service, form_of_page(answer.text)) if answer.status_code == 200 else answer


def _how(changes: dict[str, str]) -> dict[str, str]:
    return {"how": changes["how"]} if "how" in changes else {}


def args(service: Service) -> list[str]:
    """The arguments of all tasks, as they are stored."""
    rows = sorted(service.store.state.rows)
    return [service.container.view_task()(TaskId(id)).stored.args for id in rows]


def button(answer: TestResponse | str) -> str:
    html = answer if isinstance(answer, str) else answer.text
    found = re.search(r'<button class="main" name="do" value="submit"[^>]*>([^<]*)</button>', html)
    assert found
    return found[1]


def error_at(answer: TestResponse, field: str) -> str:
    found = re.search(rf'id="field-{field}-error">([^<]*)<', answer.text)
    assert found, answer.text
    return found[1]


class TestSwitching:
    def test_a_form_is_as_before_until_it_is_switched(self, service: Service) -> None:
        html = page(service, "")
        assert button(html) == "Submit"
        assert 'value="sweep"' in html
        assert "v.name" not in html
        assert fill(service, {"f.dt": "1,2"}, query="").status_code == 422

    def test_switching_keeps_what_was_typed(self, service: Service) -> None:
        on = fill(service, {"f.dt": "0.10", "f.drag": "true"}, "sweep", query="")
        sent = form_of_page(on.text)
        assert (sent["f.dt"], sent["f.drag"], sent["sweep"]) == ("0.10", "true", "1")
        off = post(service, sent, "single")
        assert form_of_page(off.text)["f.dt"] == "0.10"
        assert "sweep" not in form_of_page(off.text)

    def test_a_form_without_a_field_for_one_value_has_no_switch(self, service: Service) -> None:
        assert 'value="sweep"' not in service.client.get("/dashboard/submit/default").text

    def test_all_arguments_as_json_are_not_offered_for_several_values(self, service: Service) -> None:
        html = page(service)
        assert 'value="json"' not in html
        assert 'value="sweep"' not in html

    def test_a_form_in_json_has_no_switch(self, service: Service) -> None:
        assert 'value="sweep"' not in fill(service, {"f.dt": "1"}, "json", query="").text


class TestSubmitting:
    def test_the_button_names_the_number_before_anything_is_submitted(self, service: Service) -> None:
        first = fill(service, {"f.dt": "0..1 step 0.1", "f.n": "1,2,5"})
        assert (first.status_code, button(first)) == (200, "Submit 33 tasks")
        assert "This is 33 tasks" in first.text
        assert args(service) == []
        second = post(service, form_of_page(first.text))
        assert (second.status_code, second.headers["Location"]) == (303, "/dashboard/batch/1")
        assert len(args(service)) == 33

    def test_values_are_combined_in_the_order_of_the_fields_and_exact(self, service: Service) -> None:
        submit(service, dt="0..0.3 step 0.1", n="1..2")
        assert args(service)[:3] == ['{"dt":0.0,"n":1}', '{"dt":0.0,"n":2}', '{"dt":0.1,"n":1}']
        assert args(service)[-1] == '{"dt":0.3,"n":2}'

    def test_values_side_by_side_are_as_many_tasks(self, service: Service) -> None:
        submit(service, dt="1,2,3", n="4..6", how="zip")
        assert args(service) == ['{"dt":1,"n":4}', '{"dt":2,"n":5}', '{"dt":3,"n":6}']

    def test_one_value_each_is_a_batch_of_one(self, service: Service) -> None:
        assert button(page(service)) == "Submit 1 task"
        assert submit(service, dt="1.50").headers["Location"] == "/dashboard/batch/1"

    def test_members_of_objects_may_have_several_values(self, service: Service) -> None:
        submit(service, **{"dt": "1", "to.x": "1,2", "to.y": "3"})
        assert args(service) == ['{"dt":1,"to":{"x":1,"y":3}}', '{"dt":1,"to":{"x":2,"y":3}}']

    def test_checked_choices_are_values(self, service: Service) -> None:
        submit(service, dt="1", drag="true\nfalse")
        assert args(service) == ['{"dt":1,"drag":true}', '{"dt":1,"drag":false}']

    def test_lists_stay_lists(self, service: Service) -> None:
        submit(service, dt="1,2", r="1,2,3")
        assert [json.loads(each)["r"] for each in args(service)] == [[1, 2, 3]] * 2

    def test_the_batch_is_named_after_the_type_and_the_values(self, service: Service) -> None:
        submit(service, dt="0..1 step 0.5", drag="true\nfalse")
        assert service.client.get("/batches/1").get_json()["name"] == "fall: dt=0..1 step 0.5, drag=true,false"
        submit(service, dt="1,2", n="3,4", how="zip")
        assert service.client.get("/batches/2").get_json()["name"] == "fall: dt=1,2 with n=3,4"
        submit(service, dt=",".join(["1"] * 200))
        assert len(service.client.get("/batches/3").get_json()["name"]) == 200

    def test_options_and_labels_are_those_of_each_task(self, service: Service) -> None:
        answer = fill(service, {"f.dt": "1,2", "o.priority": "7", "o.labels": "user=ana"})
        post(service, form_of_page(answer.text))
        tasks = [service.view(id) for id in (1, 2)]
        assert [(task["priority"], task["labels"]) for task in tasks] == [(7, {"user": "ana"})] * 2
        assert service.client.get("/batches/1").get_json()["labels"] == {"user": "ana"}

    def test_a_form_that_is_sent_twice_is_one_batch(self, service: Service) -> None:
        sent = form_of_page(fill(service, {"f.dt": "1,2"}).text)
        places = [post(service, sent).headers["Location"] for _ in range(2)]
        assert places == ["/dashboard/batch/1"] * 2
        assert len(args(service)) == 2

    def test_a_changed_form_is_counted_again(self, service: Service) -> None:
        sent = form_of_page(fill(service, {"f.dt": "1,2"}).text)
        again = post(service, sent | {"f.dt": "1,2,3"})
        assert (again.status_code, button(again), args(service)) == (200, "Submit 3 tasks", [])

    def test_a_typed_key_is_that_of_the_batch(self, service: Service) -> None:
        for values, code in (("1,2", 303), ("1,2,3", 422)):
            answer = fill(service, {"f.dt": values, "o.key": "mine"})
            assert post(service, form_of_page(answer.text)).status_code == code
        assert len(args(service)) == 2

    def test_a_task_that_is_run_again_may_be_swept(self, service: Service) -> None:
        service.submit({"dt": 1, "n": 5}, "/task/new/fall")
        answer = fill(service, {"f.dt": "1,2"}, query="?sweep=1&from=1")
        assert "not linked to task 1" in answer.text
        assert post(service, form_of_page(answer.text)).headers["Location"] == "/dashboard/batch/1"
        assert args(service)[1:] == ['{"dt":1,"n":5}', '{"dt":2,"n":5}']


class TestTexts:
    def test_a_comma_in_a_text_is_a_comma(self, service: Service) -> None:
        submit(service, dt="1", name="a, b")
        assert args(service) == ['{"dt":1,"name":"a, b"}']

    def test_lines_of_a_text_are_one_value_unless_that_is_said(self, service: Service) -> None:
        assert button(fill(service, {"f.dt": "1", "f.name": "a\r\nb"}, "count")) == "Submit 1 task"
        submit(service, dt="1", name="a\r\nb")
        assert [json.loads(each)["name"] for each in args(service)] == ["a\nb"]

    def test_a_text_has_several_values_if_that_is_said(self, service: Service) -> None:
        answer = fill(service, {"f.dt": "1", "f.name": "a, b\r\n\r\nc\r\n", "v.name": "1"})
        assert button(answer) == "Submit 2 tasks"
        post(service, form_of_page(answer.text))
        assert [json.loads(each)["name"] for each in args(service)] == ["a, b", "c"]

    def test_the_kind_of_a_field_says_whether_a_comma_parts_numbers(self, service: Service) -> None:
        for kind, number in (("0", "2 tasks"), ("1", "1 task")):
            answer = fill(service, {"f.dt": "1", "f.size": "1,2", "t.size": kind}, "count")
            assert button(answer) == f"Submit {number}"


class TestMistakes:
    def test_more_tasks_than_a_batch_takes_are_refused(self, service: Service) -> None:
        answer = fill(service, {"f.dt": "1..101", "f.n": "1..100"})
        assert (answer.status_code, button(answer)) == (422, "Submit")
        assert "The sweep has 10,100 tasks. A batch takes 10,000 at most." in answer.text
        assert args(service) == []

    def test_a_wrong_range_is_told_at_its_field(self, service: Service) -> None:
        answer = fill(service, {"f.dt": "0..1 step 0", "f.n": "0..1 step 0.5"})
        assert answer.status_code == 422
        assert error_at(answer, "dt") == "has no end: the step is 0"
        assert error_at(answer, "n") == "0.5 is no whole number"
        assert form_of_page(answer.text)["f.dt"] == "0..1 step 0"

    def test_values_that_cannot_be_kept_are_told_at_their_field(self, service: Service) -> None:
        assert "beyond" in error_at(fill(service, {"f.dt": "1,1e999"}), "dt")

    def test_side_by_side_needs_as_many_values(self, service: Service) -> None:
        answer = fill(service, {"f.dt": "1,2,3", "f.n": "1,2", "how": "zip"})
        assert "all fields need as many values: dt has 3, n has 2." in answer.text

    def test_errors_of_the_check_name_the_value_once(self, service: Service) -> None:
        answer = submit(service, dt="-1..1 step 0.5", n="1..3")
        assert answer.status_code == 422
        assert error_at(answer, "dt") == "-1.0: it is less than the minimum of 0"
        assert args(service) == []

    @pytest.mark.parametrize(("how", "value"), [("product", "2.5: "), ("zip", "2.5: ")])
    def test_the_value_of_an_error_is_found(self, service: Service, how: str, value: str) -> None:
        answer = submit(service, dt="1,2,3", n="1,2,2.5", how=how)
        assert error_at(answer, "n").startswith(value)

    def test_errors_of_options_stand_at_these(self, service: Service) -> None:
        answer = submit(service, dt="1,2")
        assert answer.status_code == 303
        answer = fill(service, {"f.dt": "1,2", "o.callback": "http://a.b"})
        answer = post(service, form_of_page(answer.text))
        assert "WEBHOOK_SECRET" in answer.text.split('id="option-callback"')[1]

    def test_an_error_of_another_field_stands_there(self, service: Service) -> None:
        answer = submit(service, dt="1,2", r="1,x")
        assert error_at(answer, "r").startswith("r.1: ")

    def test_larger_arguments_than_a_batch_takes_are_refused(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("entrypoints.http.pages.forms.submission.MAX_BYTES", 100)
        assert "more than 100 bytes" in fill(service, {"f.dt": "1,2,3", "f.name": "x" * 40}).text

    def test_the_form_is_shown_again_while_the_database_is_away(self, service: Service) -> None:
        sent = form_of_page(fill(service, {"f.dt": "1,2"}).text)
        service.away = True
        answer = post(service, sent)
        assert (answer.status_code, form_of_page(answer.text)["f.dt"]) == (503, "1,2")


class TestCounting:
    def test_the_number_is_counted_without_submitting(self, service: Service) -> None:
        answer = fill(service, {"f.dt": "1..70"}, "count")
        assert (answer.status_code, button(answer), args(service)) == (200, "Submit 70 tasks", [])
        assert form_of_page(answer.text)["count"] == "70"

    def test_a_form_with_a_mistake_has_no_number(self, service: Service) -> None:
        answer = fill(service, {"f.dt": "1..", "f.n": "5"}, "count")
        assert button(answer) == "Submit"


class TestAddress:
    def test_an_address_holds_the_sweep(self, service: Service) -> None:
        changes = {"f.dt": "0..1 step 0.1", "f.drag": "true\nfalse", "f.name": "a\r\nb", "v.name": "1", "how": "zip"}
        kept = fill(service, changes, "keep").headers["Location"]
        assert "f.dt=0..1 step 0.1" in unquote(kept)
        sent = form_of_page(page(service, kept.removeprefix(FORM)))
        for name, text in changes.items():
            assert sent[name] == text, name

    def test_code_is_not_offered_for_several_values(self, service: Service) -> None:
        assert "POST /batches" in fill(service, {"f.dt": "1,2"}, "code").text
        assert '<pre id="code-curl">' in fill(service, {"f.dt": "1"}, "code").text


def test_sets_of_arguments_leave_others_as_they_are() -> None:
    first: dict[str, Any] = {"a": {"b": 1, "c": [1]}}
    changed = sweep._with(first, ("a", "b"), 2)
    assert (changed, first) == ({"a": {"b": 2, "c": [1]}}, {"a": {"b": 1, "c": [1]}})
