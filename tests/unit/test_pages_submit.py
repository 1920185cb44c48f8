"""The pages that submit a task: forms, their errors, their addresses, and tasks that are run again."""

import json
import re
from typing import Any
from urllib.parse import unquote

import pytest
from werkzeug.test import TestResponse

from application.json.text import dump
from domain.ids import TaskId
from entrypoints.http.pages.forms import changes, pieces
from tests.unit.browser_form import form_of_page
from tests.unit.http_service import Service, configured

MOVE = {
    "type": "object",
    "properties": {
        "dt": {"type": "number", "exclusiveMinimum": 0, "description": "Step in `s`"},
        "r0": {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3},
        "drag": {"type": "boolean", "default": False},
        "to": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "zip": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
            "required": ["city"],
        },
        "colour": {"enum": ["red", "blue"]},
        "any": {},
    },
    "required": ["dt", "r0"],
    "additionalProperties": False,
}
BIDI = "\u202egnp.exe"


@pytest.fixture
def service() -> Service:
    service = Service()
    service.publish("move", dump(MOVE), "Move a body.\n\nBy `dt` each.")
    return service


def page(service: Service, path: str, code: int = 200) -> str:
    answer = service.client.get(f"/dashboard/submit{path}")
    assert answer.status_code == code, answer.text
    return answer.text


def post(service: Service, type: str = "move", **sent: str) -> TestResponse:
    return service.client.post(f"/dashboard/submit/{type}", data=sent)


def send(service: Service, path: str, /, changes: dict[str, str] | None = None, do: str = "submit") -> TestResponse:
    """Post the form of a page as a browser does, with some fields changed."""
    sent = form_of_page(page(service, path)) | (changes or {}) | {"do": do}
    return service.client.post(f"/dashboard/submit/{path.strip('/').split('?')[0]}", data=sent)


def args(service: Service, id: int = 1) -> str:
    """The arguments of a task as they are stored."""
    return service.container.view_task()(TaskId(id)).stored.args


def code(answer: TestResponse | str) -> str:
    """The curl line in a page."""
    html = answer if isinstance(answer, str) else answer.text
    found = re.search(r'<pre id="code-curl">(.*?)</pre>', html, re.DOTALL)
    assert found, html
    return found[1].replace("&#39;", "'").replace("&#34;", '"').replace("&lt;", "<").replace("&amp;", "&")


class TestChoosing:
    def test_the_page_names_every_type_and_whether_a_handler_of_it_lives(self, service: Service):
        service.publish("gone")
        service.withdraw("gone")
        html = page(service, "")
        assert 'href="/dashboard/submit/move"' in html
        assert 'href="/dashboard/submit/gone"' in html
        assert '<span class="state draining">abandoned</span>' in html

    def test_an_unknown_type_names_the_type_that_was_meant(self, service: Service):
        html = page(service, "/moves", 404)
        assert "There is no type moves" in html
        assert 'Did you mean <a href="/dashboard/submit/move">' in html

    def test_a_type_without_a_live_handler_says_that_its_tasks_wait(self, service: Service):
        service.withdraw("move")
        assert "No live handler has this function" in page(service, "/move")

    def test_the_page_of_types_links_to_the_forms(self, service: Service):
        assert 'href="/dashboard/submit/move"' in service.client.get("/dashboard/types").text


class TestFields:
    def test_a_form_has_a_field_for_each_argument_with_its_help(self, service: Service):
        html = page(service, "/move")
        assert {"f.dt", "f.r0", "f.drag", "f.to.city", "f.to.zip", "f.colour", "j.any"} <= form_of_page(html).keys()
        assert "Step in <code>s</code>. Number, more than 0." in html
        assert "List of numbers, 3 items." in html
        assert "left out (default: false)" in html
        assert "By <code>dt</code> each." in html

    def test_numbers_go_out_as_they_are_typed(self, service: Service):
        answer = send(service, "/move", {"f.dt": "1.10", "f.r0": "1e-320 2.0\r\n9223372036854775809"}, "code")
        assert """-d '{"dt": 1.10, "r0": [1e-320, 2.0, 9223372036854775809]}'""" in code(answer)

    def test_a_form_submits_a_task_and_leads_to_it(self, service: Service):
        answer = send(service, "/move", {"f.dt": "0.5", "f.r0": "1,2,3", "f.drag": "true", "f.to.city": "Köln"})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard/task/1")
        assert args(service) == '{"dt":0.5,"r0":[1,2,3],"drag":true,"to":{"city":"Köln"}}'

    def test_empty_optional_fields_are_left_out_and_null_can_be_said(self, service: Service):
        send(
            service, "/move", {"f.dt": "1", "f.r0": "1,2,3", "f.to.city": "", "s.to.city": "empty", "s.to.zip": "null"}
        )
        assert args(service) == '{"dt":1,"r0":[1,2,3],"to":{"city":"","zip":null}}'

    def test_a_typed_text_goes_before_null(self, service: Service):
        send(service, "/move", {"f.dt": "1", "f.r0": "1,2,3", "f.to.city": "x", "f.to.zip": "5", "s.to.zip": "null"})
        assert json.loads(args(service))["to"]["zip"] == 5

    def test_all_arguments_can_be_edited_as_one_text_and_in_fields_again(self, service: Service):
        as_text = send(service, "/move", {"f.dt": "1.10", "j.any": "[1]"}, "json")
        sent = form_of_page(as_text.text)
        assert sent["json"] == '{\r\n  "dt": 1.10,\r\n  "any": [1]\r\n}'
        as_fields = service.client.post("/dashboard/submit/move", data=sent | {"do": "fields"})
        assert form_of_page(as_fields.text)["f.dt"] == "1.10"
        assert form_of_page(as_fields.text)["j.any"] == "[1]"

    def test_a_text_that_is_no_json_stays_when_fields_are_asked_for(self, service: Service):
        answer = post(service, json='{"dt": 1', do="fields")
        assert answer.status_code == 422
        assert "The text is not JSON" in answer.text
        assert form_of_page(answer.text)["json"] == '{"dt": 1'

    def test_a_type_of_any_arguments_has_one_json_field(self, service: Service):
        answer = send(service, "/default", {"j.**": '{"required_arg": 1.50}'})
        assert (answer.status_code, args(service)) == (303, '{"required_arg":1.5}')

    def test_what_is_no_schema_becomes_json_fields(self, service: Service):
        odd = {"properties": {"a": {"$ref": "#/nowhere"}, "b": {"type": 5}, "c": True, "d": {"anyOf": [3]}}}
        service.publish("odd", dump(odd))
        assert {"j.a", "j.b", "j.c", "j.d"} <= form_of_page(page(service, "/odd")).keys()

    def test_a_schema_that_refers_to_itself_ends_in_json_fields(self, service: Service):
        node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
        service.publish("tree", dump({"$defs": {"Node": node}, "properties": {"root": {"$ref": "#/$defs/Node"}}}))
        assert "j.root.next" in form_of_page(page(service, "/tree"))


class TestErrors:
    def test_errors_stand_at_their_fields_with_all_that_was_typed(self, service: Service):
        answer = send(service, "/move", {"f.dt": "-1.10", "f.r0": "1,2,x", "f.colour": "green", "f.drag": "true"})
        assert answer.status_code == 422
        for name, sentence in {
            "dt": "it is less than or equal to the minimum of 0",
            "r0": "r0.2: it is not of type &#34;number&#34;",
            "colour": "it is not one of",
        }.items():
            field = answer.text.split(f'id="field-{name}"')[1].split('class="field')[0]
            assert sentence in field
            assert 'aria-invalid="true"' in field
            assert f'aria-describedby="field-{name}-error field-{name}-help"' in field
            assert f'id="field-{name}-error"' in field
        sent = form_of_page(answer.text)
        assert [sent[name] for name in ("f.dt", "f.r0", "f.colour", "f.drag")] == ["-1.10", "1,2,x", "green", "true"]

    def test_the_first_wrong_field_alone_has_the_focus(self, service: Service):
        html = send(service, "/move", {"f.r0": "1,2,x"}).text
        assert html.count("autofocus") == 1
        assert "autofocus" in html.split('id="field-dt"')[1][:200]

    def test_the_sentences_are_those_of_the_api(self, service: Service):
        told = service.client.post("/task/new/move", json={"dt": -1, "r0": [1]}).get_json()["errors"]["json"]
        html = send(service, "/move", {"f.dt": "-1", "f.r0": "1"}).text
        assert all(sentence in html for sentences in told.values() for sentence in sentences)

    def test_a_broken_json_field_is_told_at_the_field(self, service: Service):
        answer = send(service, "/move", {"f.dt": "1", "f.r0": "1,2,3", "j.any": "{"})
        assert answer.status_code == 422
        assert "is not JSON: " in answer.text.split('id="field-any"')[1]

    def test_no_json_field_can_end_its_own_member(self, service: Service):
        answer = send(service, "/move", {"f.dt": "1", "f.r0": "1,2,3", "j.any": '1, "dt": 5'})
        assert answer.status_code == 422

    @pytest.mark.parametrize(("typed", "why"), [("1e999", "beyond"), ("9" * 5000, "digits"), ("-0", "-0")])
    def test_a_number_that_cannot_be_kept_is_told_at_its_field(self, service: Service, typed: str, why: str):
        answer = send(service, "/move", {"f.dt": typed, "f.r0": "1,2,3"})
        assert answer.status_code == 422
        assert 'class="error"' in answer.text.split('id="field-dt"')[1].split('id="field-r0"')[0]
        assert form_of_page(answer.text)["f.dt"] == typed

    def test_an_error_of_an_object_stands_in_its_fieldset(self, service: Service):
        html = send(service, "/move", {"f.dt": "1", "f.r0": "1,2,3", "f.to.zip": "x"}).text
        assert "is required" in html.split('id="field-to.city"')[1].split('id="field-to.zip"')[0]

    def test_wrong_options_stand_at_their_fields(self, service: Service):
        answer = send(
            service, "/move", {"f.dt": "1", "f.r0": "1,2,3", "o.priority": "1000", "o.callback": "http://a.b"}
        )
        assert answer.status_code == 422
        assert "Must be" in answer.text.split('id="option-priority"')[1].split('id="option-timeout"')[0]
        answer = send(service, "/move", {"f.dt": "1", "f.r0": "1,2,3", "o.callback": "http://a.b"})
        assert "WEBHOOK_SECRET" in answer.text.split('id="option-callback"')[1]

    def test_arguments_that_are_no_object_are_told_above(self, service: Service):
        answer = post(service, json="[1]")
        assert (answer.status_code, "not a JSON object" in answer.text) == (422, True)

    def test_the_form_is_shown_again_while_the_database_is_away(self, service: Service):
        sent = form_of_page(page(service, "/move")) | {"f.dt": "1.10", "f.r0": "1,2,3"}
        service.away = True
        answer = service.client.post("/dashboard/submit/move", data=sent)
        assert answer.status_code == 503
        assert form_of_page(answer.text)["f.dt"] == "1.10"

    def test_longer_arguments_than_the_api_accepts_are_refused(self):
        service = configured(max_body=1024)
        answer = send(service, "/default", {"j.**": f'{{"required_arg": "{"x" * 1100}"}}'})
        assert (answer.status_code, "more than 1024 bytes" in answer.text) == (422, True)


class TestSubmittingOnce:
    def filled(self, service: Service) -> dict[str, str]:
        return form_of_page(page(service, "/move")) | {"f.dt": "1", "f.r0": "1,2,3"}

    def test_a_form_that_is_sent_twice_is_one_task(self, service: Service):
        sent = self.filled(service)
        places = [service.client.post("/dashboard/submit/move", data=sent).headers["Location"] for _ in range(2)]
        assert places == ["/dashboard/task/1"] * 2

    def test_the_key_of_a_form_is_not_shown(self, service: Service):
        service.client.post("/dashboard/submit/move", data=self.filled(service))
        assert "Idempotency key" not in service.client.get("/dashboard/task/1").text

    @pytest.mark.parametrize("change", [{"f.dt": "2"}, {"o.priority": "5"}])
    def test_a_form_that_is_changed_and_sent_again_is_a_new_task(self, service: Service, change: dict[str, str]):
        sent = self.filled(service)
        answers = [service.client.post("/dashboard/submit/move", data=each) for each in (sent, sent | change)]
        assert [each.headers["Location"][-2:] for each in answers] == ["/1", "/2"]

    def test_two_forms_of_the_same_values_are_two_tasks(self, service: Service):
        answers = [service.client.post("/dashboard/submit/move", data=self.filled(service)) for _ in range(2)]
        assert [each.headers["Location"][-2:] for each in answers] == ["/1", "/2"]

    def test_a_key_that_was_typed_is_the_key_of_the_task(self, service: Service):
        sent = self.filled(service) | {"o.key": "mine"}
        service.client.post("/dashboard/submit/move", data=sent)
        again = service.client.post(
            "/task/new/move", json={"dt": 1, "r0": [1, 2, 3]}, headers={"Idempotency-Key": "mine"}
        )
        assert (again.status_code, again.get_json()["id"]) == (200, 1)
        answer = service.client.post("/dashboard/submit/move", data=sent | {"f.dt": "2"})
        assert "It belongs to task 1" in answer.text.split('id="option-key"')[1]


class TestOptions:
    def test_the_options_are_those_of_the_api(self, service: Service):
        options = {"o.priority": "5", "o.max_attempts": "3", "o.timeout": "2.5", "o.ttl": "100", "o.delay": "10"}
        send(service, "/move", {"f.dt": "1", "f.r0": "1,2,3", **options})
        task = service.container.view_task()(TaskId(1)).task
        assert (task.priority, task.max_attempts, task.timeout, task.ttl) == (5, 3, 2.5, 100)
        assert (task.run_at - service.clock.now()).total_seconds() == 10

    def test_a_local_time_is_a_time_in_utc(self, service: Service):
        answer = send(service, "/move", {"f.dt": "1", "o.run_at": "2030-01-31T12:00"}, "code")
        assert "run_at=1896091200" in code(answer)


class TestAddresses:
    def test_an_address_fills_the_form(self, service: Service):
        sent = form_of_page(page(service, "/move?f.dt=1.10&f.drag=true&f.to.city=K%C3%B6ln&s.to.zip=null&o.priority=5"))
        assert (sent["f.dt"], sent["f.drag"], sent["f.to.city"], sent["s.to.zip"]) == ("1.10", "true", "Köln", "null")
        assert sent["o.priority"] == "5"

    def test_a_form_is_kept_as_an_address_that_fills_it(self, service: Service):
        typed = {"f.dt": "1.10", "f.r0": "1\r\n2", "f.to.city": "a&b=ü", "s.to.zip": "null", "j.any": "[", "o.ttl": "9"}
        answer = send(service, "/move", typed, "keep")
        assert answer.status_code == 303
        kept = form_of_page(service.client.get(answer.headers["Location"]).text)
        assert {name: kept[name] for name in typed} == typed

    def test_a_text_of_all_arguments_is_kept_as_an_address(self, service: Service):
        answer = post(service, json='{"dt": 1.10}', do="keep")
        assert form_of_page(service.client.get(answer.headers["Location"]).text)["json"] == '{"dt": 1.10}'

    def test_a_form_that_is_too_long_for_an_address_says_so(self, service: Service):
        answer = send(service, "/move", {"f.to.city": "x" * 7000}, "keep")
        assert (answer.status_code, "too much for an address" in answer.text) == (422, True)

    def test_a_form_works_behind_a_path(self):
        service = configured(backend_url="https://example.org/tasks")
        html = page(service, "/default")
        assert 'action="/tasks/dashboard/submit/default"' in html
        assert "curl -X POST https://example.org/tasks/task/new " in html


class TestRunningAgain:
    ARGS = '{"r0":[1,2.5,9223372036854775809],"any":{"z":1,"a":[null]},"dt":0.1}'

    @pytest.fixture
    def first(self, service: Service) -> int:
        return int(service.submit(json.loads(self.ARGS), "/task/new/move?priority=7")["id"])

    def test_a_task_that_is_run_again_unchanged_has_the_same_text(self, service: Service, first: int):
        answer = send(service, f"/move?from={first}")
        assert answer.headers["Location"] == "/dashboard/task/2"
        assert args(service, 2) == args(service, first) == self.ARGS

    def test_a_changed_argument_changes_nothing_else(self, service: Service, first: int):
        send(service, f"/move?from={first}", {"f.dt": "0.25"})
        assert args(service, 2) == self.ARGS.replace("0.1", "0.25")

    def test_a_cleared_argument_is_left_out(self, service: Service, first: int):
        send(service, f"/move?from={first}", {"j.any": ""})
        assert args(service, 2) == '{"r0":[1,2.5,9223372036854775809],"dt":0.1}'

    def test_the_options_of_the_task_are_kept(self, service: Service, first: int):
        send(service, f"/move?from={first}")
        assert service.view(2)["priority"] == 7

    def test_both_tasks_name_each_other_and_the_changes(self, service: Service, first: int):
        send(service, f"/move?from={first}", {"f.dt": "0.25"})
        old, new = (service.client.get(f"/dashboard/task/{id}").text for id in (first, 2))
        assert 'Run again as <a href="/dashboard/task/2">' in old
        assert 'Run again of <a href="/dashboard/task/1">' in new
        assert '<th scope="row">dt</th><td><del>0.1</del></td><td><ins>0.25</ins></td>' in new
        assert '<th scope="row">r0</th>' not in new

    def test_the_button_that_runs_a_task_again_links_both_too(self, service: Service, first: int):
        assert service.client.post(f"/dashboard/task/{first}/again").headers["Location"] == "/dashboard/task/2"
        assert "</a>, with the same arguments." in service.client.get("/dashboard/task/2").text

    def test_a_task_that_is_run_again_refers_to_the_same_results(self, service: Service, first: int):
        args = {"r0": [1, 2, 3], "dt": 0.5, "any": {"$result": first}}
        origin = service.submit(args, "/task/new/move?references=true")["id"]
        send(service, f"/move?from={origin}", {"f.dt": "0.25"})
        assert (service.view(3)["dt"], service.view(3)["after"]) == (0.25, [first])
        service.client.delete(f"/task/{first}")
        answer = send(service, f"/move?from={origin}")
        assert answer.status_code == 422
        assert f"task id {first} is not registered" in answer.text

    def test_a_task_that_was_never_run_again_says_nothing_of_it(self, service: Service, first: int):
        assert "lineage" not in service.client.get(f"/dashboard/task/{first}").text

    def test_a_deleted_origin_is_still_named(self, service: Service, first: int):
        send(service, f"/move?from={first}", {"f.dt": "0.25"})
        service.client.delete(f"/task/{first}")
        html = service.client.get("/dashboard/task/2").text
        assert 'Run again of <a href="/dashboard/task/1">' in html
        assert "changed:" not in html

    def test_changed_arguments_are_marked_in_the_form(self, service: Service, first: int):
        html = send(service, f"/move?from={first}", {"f.dt": "0.25"}, "code").text
        assert 'class="field changed"' in html.split('id="field-r0"')[0]
        assert "In task 1: <code>0.1</code>" in html
        assert html.count('class="field changed"') == 1
        assert "Changed: <code>dt</code>" in html

    def test_an_address_overrides_what_the_task_has(self, service: Service, first: int):
        sent = form_of_page(page(service, f"/move?from={first}&f.dt=0.25&f.r0="))
        assert (sent["f.dt"], sent["f.r0"], sent["j.any"]) == ("0.25", "", '{"z":1,"a":[null]}')

    def test_a_form_that_runs_again_is_kept_as_a_short_address(self, service: Service, first: int):
        answer = send(service, f"/move?from={first}", {"f.dt": "0.25", "j.any": ""}, "keep")
        assert unquote(answer.headers["Location"]) == (
            "/dashboard/submit/move?from=1&f.dt=0.25&s.any=none&o.priority=7"
        )
        sent = form_of_page(service.client.get(answer.headers["Location"]).text)
        assert (sent["f.dt"], sent["j.any"]) == ("0.25", "")

    def test_a_long_value_is_kept_without_being_shown(self, service: Service):
        long = {"r0": [1, 2, 3], "any": ["x" * 300_000], "dt": 0.1}
        service.submit(long, "/task/new/move")
        html = page(service, "/move?from=1")
        assert len(html) < 50_000
        assert "keep the value, which has 300,004 bytes" in html
        send(service, "/move?from=1", {"f.dt": "0.25"})
        assert json.loads(args(service, 2)) == long | {"dt": 0.25}

    def test_a_long_value_can_be_replaced_or_left_out(self, service: Service):
        service.submit({"r0": [1, 2, 3], "any": "x" * 300_000, "dt": 0.1}, "/task/new/move")
        send(service, "/move?from=1", {"j.any": "5"})
        assert json.loads(args(service, 2))["any"] == 5
        sent = form_of_page(page(service, "/move?from=1"))
        del sent["s.any"]
        service.client.post("/dashboard/submit/move", data=sent)
        assert "any" not in json.loads(args(service, 3))

    def test_a_long_value_of_a_deleted_task_is_told_at_its_field(self, service: Service):
        service.submit({"r0": [1, 2, 3], "any": "x" * 300_000, "dt": 0.1}, "/task/new/move")
        sent = form_of_page(page(service, "/move?from=1"))
        service.client.delete("/task/1")
        answer = service.client.post("/dashboard/submit/move", data=sent)
        assert answer.status_code == 422
        assert "is deleted: give the value again" in answer.text.split('id="field-any"')[1]

    def test_many_values_are_shown_up_to_a_bound_together(self, service: Service):
        properties = {f"a{n}": {"type": "string"} for n in range(10)}
        service.publish("wide", dump({"properties": properties}))
        service.submit(dict.fromkeys(properties, "x" * 60000), "/task/new/wide")
        html = page(service, "/wide?from=1")
        assert (len(html) < 400_000, html.count("keep the value")) == (True, 6)
        send(service, "/wide?from=1")
        assert args(service, 2) == args(service, 1)

    def test_a_task_that_does_not_exist_cannot_be_run_again(self, service: Service):
        page(service, "/move?from=77", 404)
        page(service, "/move?from=x", 404)

    def test_an_argument_that_the_schema_lacks_by_now_is_shown(self, service: Service, first: int):
        service.publish("move", dump({"properties": {"dt": {"type": "string"}}, "additionalProperties": False}))
        answer = send(service, f"/move?from={first}")
        assert answer.status_code == 422
        assert "it is not of type &#34;string&#34;" in answer.text.split('id="field-dt"')[1]
        assert "r0: is not expected here" in answer.text.split('id="field-**"')[1]


class TestEscaping:
    HOSTILE = "</textarea><script>alert(1)</script>'\"&" + BIDI

    @pytest.fixture
    def html(self, service: Service) -> str:
        schema: dict[str, Any] = {
            "properties": {
                self.HOSTILE: {"type": "string", "description": self.HOSTILE, "default": self.HOSTILE},
                "one": {"enum": [self.HOSTILE]},
                "more": {"type": "object", "properties": {self.HOSTILE: {}}},
            }
        }
        service.publish("bad", dump(schema), self.HOSTILE)
        service.submit({self.HOSTILE: self.HOSTILE, "one": self.HOSTILE, "x": self.HOSTILE}, "/task/new/bad")
        return page(service, "/bad?from=1") + page(service, "")

    def test_names_descriptions_and_values_are_escaped(self, html: str):
        assert "<script>alert" not in html

    def test_names_and_descriptions_show_what_would_hide(self, html: str):
        assert "U+202E" in html.split("<h1>")[1].split("<form")[0]

    def test_code_has_no_characters_that_hide_others(self, html: str):
        assert BIDI not in code(html)
        assert "\\u202egnp.exe" in code(html)

    def test_the_type_of_an_address_is_escaped(self, service: Service):
        assert "<script>" not in page(service, "/%3Cscript%3Ealert(1)", 404).split("</head>")[1]

    def test_an_unchanged_form_of_hostile_values_is_the_same_task(self, service: Service, html: str):
        send(service, "/bad?from=1")
        assert args(service, 2) == args(service, 1)


def test_the_changes_of_hostile_arguments_are_few_and_short(monkeypatch: pytest.MonkeyPatch):
    read: list[str | None] = []

    def members(text: str | None) -> dict[str, str] | None:
        read.append(text)
        return pieces.members(text)

    monkeypatch.setattr(changes, "members", members)
    deep = '{"a": ' * 150 + "%s" + "}" * 150
    [found] = changes.changed_arguments(deep % 1, deep % 2)
    assert (found.path, len(read)) == ("a.a.a.a.a", 2 * changes.MAX_DEPTH)
    [found] = changes.changed_arguments("{}", dump({"a" * 1_000_000: "b" * 1_000_000}))
    assert len(found.path) == len(found.after or "") == changes.MAX_SHOWN_CHARACTERS + 1
