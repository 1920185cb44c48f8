"""The pages that list tasks and change many of them, over memory."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from application.ports import listing
from application.use_cases import change_tasks, delete_tasks
from domain.failure import Failure
from domain.ids import TaskId
from domain.status import RULES, Status, Verb
from domain.task import Task
from entrypoints.http.pages import many
from entrypoints.http.pages.given_filters import ARGUMENTS, NOT_PAIRS, given_filters
from entrypoints.settings import Settings
from tests import steps
from tests.unit.http_service import Service, configured

HOSTILE = "<script>alert('\"&')</script>\N{RIGHT-TO-LEFT OVERRIDE}"
TASKS = "/dashboard/tasks"


@pytest.fixture
def service() -> Service:
    return Service()


def shown(service: Service, address: str, code: int = 200) -> str:
    answer = service.client.get(address)
    assert answer.status_code == code, answer.text
    return answer.text


def rows(html: str) -> list[int]:
    return [int(id) for id in re.findall(r'<tr id="task-(\d+)"', html)]


def fields(html: str, form: str) -> list[tuple[str, str]]:
    """The hidden fields of the form with this action."""
    (inside,) = re.findall(rf'<form[^>]*action="{re.escape(form)}"[^>]*>(.*?)</form>', html, re.DOTALL)
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', inside)
    return [(name, unescape(value)) for name, value in found]


def send(service: Service, values: Any) -> TestResponse:
    return service.client.post(
        f"{TASKS}/change", data=urlencode(values), content_type="application/x-www-form-urlencoded"
    )


def confirm(service: Service, verb: str, query: str = "", back: str = f"{TASKS}?status=failed") -> str:
    address = f"{TASKS}/confirm?{urlencode({'verb': verb, 'scope': 'all', 'back': back})}&{query}"
    return shown(service, address)


def change(service: Service, verb: str, query: str = "", between: Callable[[], object] = lambda: None) -> TestResponse:
    """Confirm, and go on as a person would until the change has ended. `between` happens before each step."""
    html = confirm(service, verb, query)
    while True:
        between()
        answer = send(service, fields(html, f"{TASKS}/change"))
        if answer.status_code != 200:
            return answer
        html = answer.text


def statuses(service: Service) -> dict[int, str]:
    return {id: row.task.status.value for id, row in sorted(service.store.state.rows.items())}


def fail(service: Service, message: str = "boom", of: str = "ValueError") -> None:
    steps.fail(service.storage, service.claim(), service.clock.now(), Failure(of, message))


@pytest.fixture
def of_each_status(service: Service) -> Service:
    """Tasks from 1 to 5: done, failed, cancelled, running, waiting."""
    for n in range(5):
        service.submit({"n": n, "to": {"city": "Oslo" if n % 2 else "New York"}})
    service.succeed("1")
    fail(service)
    service.client.post("/task/3/cancel")
    service.claim()
    return service


def test_a_task_that_waits_for_others_says_so_in_the_list(service: Service) -> None:
    service.submit({})
    service.submit({}, "/task/new?after=1")
    listed = shown(service, TASKS)
    assert "waits for other tasks" in listed
    assert "9999" not in listed


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", [5, 4, 3, 2, 1]),
            ("status=&type=&arguments=&created_after=&error=", [5, 4, 3, 2, 1]),
            ("status=failed&status=cancelled", [3, 2]),
            ("status=failed,cancelled", [3, 2]),
            ("arguments=n%3D4", [5]),
            ("arguments=+n%3D3++to.city%3DOslo+", [4]),
            ("arguments=to.city%3D%22New+York%22", [5, 3, 1]),
            ("args.n=4", [5]),
            ("error=BOOM", [2]),
            ("error_type=valueerror", [2]),
            ("type=default&status=done", [1]),
            ("created_before=2026-01-01T12:00:01", [5, 4, 3, 2, 1]),
            ("created_before=2026-01-01T13:00:00%2B01:00", []),
            ("finished_after=2026-01-01T12:00:00Z", [3, 2, 1]),
            ("ids=1&ids=5", [5, 1]),
            ("limit=2", [5, 4]),
            ("cursor=3", [2, 1]),
        ],
    )
    def test_the_list_has_the_tasks_that_match(self, of_each_status: Service, query: str, found: list[int]) -> None:
        assert rows(shown(of_each_status, f"{TASKS}?{query}")) == found

    @pytest.mark.parametrize(
        ("query", "field", "sentence"),
        [
            ("arguments=n+5", "arguments", NOT_PAIRS),
            ("arguments=n%3D%225", "arguments", NOT_PAIRS),
            ("created_after=soon", "created_after", "Must be a date"),
            ("status=asleep", "status", "Must be "),
        ],
    )
    def test_a_wrong_filter_is_shown_at_its_field_and_the_form_stays_filled(
        self, of_each_status: Service, query: str, field: str, sentence: str
    ) -> None:
        html = shown(of_each_status, f"{TASKS}?{query}&error=some+text&status=failed", 422)
        (wrong,) = re.findall(rf'id="wrong-{field}">([^<]*)<', html)
        assert unescape(wrong).startswith(sentence)
        assert 'value="some text"' in html
        assert rows(html) == []

    def test_an_unknown_parameter_is_refused_by_name(self, service: Service) -> None:
        assert "statuss: Unknown parameter." in shown(service, f"{TASKS}?statuss=failed", 422)

    def test_links_keep_the_filters_and_the_form_has_them(self, of_each_status: Service) -> None:
        html = shown(
            of_each_status, f"{TASKS}?status=failed&status=done&arguments=to.city%3D%22New+York%22&limit=1&type="
        )
        assert 'value="to.city=&#34;New York&#34;"' in html
        assert html.count(" checked>") == 3  # two statuses and the number of rows
        of_form = dict(fields(html, f"{TASKS}/confirm"))
        assert dict(parse_qsl(urlsplit(of_form["back"]).query)) == {
            "status": "failed,done",
            "args.to.city": "New York",
            "limit": "1",
        }

    def test_older_tasks_are_linked_with_the_filters(self, service: Service) -> None:
        for _ in range(3):
            service.submit({"n": 1})
        html = shown(service, f"{TASKS}?limit=2&arguments=n%3D1")
        (older,) = re.findall(r'<a href="([^"]*)" rel="next">', html)
        assert rows(shown(service, unescape(older))) == [1]

    def test_a_search_that_ended_early_offers_to_go_on(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(listing, "MAX_LOOKED_TASKS", 2)
        for n in range(5):
            service.submit({})
            fail(service, "common" if n else "rare")
        html, searches = shown(service, f"{TASKS}?error=rare"), 1
        assert "Nothing matches so far" in html
        while not rows(html):
            (on,) = re.findall(r'<a href="([^"]*)" rel="next">', html)
            html, searches = shown(service, unescape(on)), searches + 1
        assert (rows(html), searches) == ([1], 3)

    @pytest.mark.parametrize(
        ("backend_url", "base"), [(None, "http://localhost"), ("https://example.org/a/b", "https://example.org/a/b")]
    )
    def test_an_empty_list_says_what_to_type_in_a_terminal(self, backend_url: str | None, base: str) -> None:
        service = configured(backend_url=backend_url)
        assert f"<pre>curl -X POST {base}/task/new -H" in shown(service, TASKS)
        filtered = shown(service, f"{TASKS}?status=failed&args.n=5")
        assert f"<pre>curl '{base}/tasks?status=failed&amp;args.n=5'</pre>" in filtered

    @given(st.dictionaries(st.text(min_size=1), st.text()))
    def test_arguments_that_are_written_into_the_field_are_read_from_it(self, args: dict[str, str]) -> None:
        named = {f"args.{name}": value for name, value in args.items() if not name.startswith(("args.", "*["))}
        first = given_filters(MultiDict({name: value for name, value in named.items() if value}))
        again = given_filters(MultiDict({ARGUMENTS: first.fields[ARGUMENTS]}))
        assert (first.errors, again.errors) == ({}, {})
        assert again.query == first.query

    def test_hostile_texts_are_escaped(self, service: Service) -> None:
        service.publish(HOSTILE)
        service.submit({})
        fail(service, HOSTILE, HOSTILE)
        query = urlencode({"error": HOSTILE, "arguments": f'x="{HOSTILE}', "type": HOSTILE, "error_type": HOSTILE})
        for address, code in (
            (TASKS, 200),
            ("/dashboard/failures", 200),
            (f"{TASKS}?{query}", 422),
            (f"{TASKS}/confirm?verb=retry&scope=all&{urlencode({'error': HOSTILE, 'back': HOSTILE})}", 200),
        ):
            html = shown(service, address, code)
            assert "<script>alert" not in html
            assert "&lt;script&gt;alert(&#39;" in html
            seen = re.sub(r"<option.*?</option>|<[^>]*>", "", html)
            assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in seen

    def test_the_list_is_kept_up_to_date_by_its_event_stream(self, of_each_status: Service) -> None:
        address = f"{TASKS}?status=failed&type="
        answer = of_each_status.client.get(address, headers={"Accept": "text/event-stream"})
        events = iter(answer.response)
        next(events)
        assert b'id="task-2"' in next(events)
        answer.close()


class TestNothingToShow:
    @pytest.mark.parametrize(("backend_url", "base"), [(None, "http://localhost"), ("https://x.y/a", "https://x.y/a")])
    def test_an_empty_list_names_the_request_for_a_terminal_with_its_host(self, backend_url: str | None, base: str):
        service = Service(Settings(backend_url=backend_url))
        assert f"curl -X POST {base}/task/new " in shown(service, TASKS)
        html = unescape(shown(service, f"{TASKS}?type=it's&status=failed"))
        assert f"curl '{base}/tasks?type=it%27s&status=failed'" in html


class TestFind:
    @pytest.mark.parametrize(
        ("text", "leads_to"),
        [
            ("192", "/dashboard/task/192"),
            (" 7 ", "/dashboard/task/7"),
            ("args.n=5", f"{TASKS}?args.n=5"),
            ("n=5 to.city=Oslo", f"{TASKS}?args.n=5&args.to.city=Oslo"),
            ("add", f"{TASKS}?type=add"),
            ("connection refused", f"{TASKS}?error=connection%20refused"),
            ("KeyError: x=5", f"{TASKS}?error=KeyError%3A%20x%3D5"),
            ("٧", f"{TASKS}?error=%D9%A7"),
            ("", TASKS),
        ],
    )
    def test_find_leads_to_what_the_text_means(self, service: Service, text: str, leads_to: str) -> None:
        service.publish("add")
        answer = service.client.get("/dashboard/find", query_string={"q": text})
        assert (answer.status_code, answer.headers["Location"]) == (303, leads_to)


class TestFailures:
    def test_failures_are_grouped_with_a_link_to_exactly_their_tasks(self, service: Service) -> None:
        for message in ("row 1 is gone", "row 22 is gone", "file is gone"):
            service.submit({})
            fail(service, message)
        html = shown(service, "/dashboard/failures")
        assert "row N is gone" in html
        links = [unescape(link) for link in re.findall(r'<th scope="row"[^>]*><a href="([^"]*)"', html)]
        assert [rows(shown(service, link)) for link in links] == [[2, 1], [3]]

    def test_a_group_is_retried_as_a_whole(self, service: Service) -> None:
        for message in ("row 1", "row 2", "else"):
            service.submit({})
            fail(service, message)
        links = re.findall(r'href="([^"]*verb=retry[^"]*)"', shown(service, "/dashboard/failures"))
        html = shown(service, unescape(links[0]))
        assert "Retry 2 tasks?" in html
        assert send(service, fields(html, f"{TASKS}/change")).headers["Location"] == "/dashboard/failures"
        assert statuses(service) == {1: "waiting", 2: "waiting", 3: "failed"}

    def test_the_groups_of_one_type_can_be_shown_alone(self, service: Service) -> None:
        service.submit({})
        fail(service)
        assert "<tr id=" in shown(service, "/dashboard/failures?type=default")
        assert "No task has failed of this type" in shown(service, "/dashboard/failures?type=other")

    def test_groups_are_counted_once_in_a_while(self, service: Service) -> None:
        assert "No task has failed" in shown(service, "/dashboard/failures")
        service.submit({})
        fail(service)
        assert "No task has failed" in shown(service, "/dashboard/failures")
        service.clock.move(3)
        assert "boom" in shown(service, "/dashboard/failures")


class TestConfirming:
    def test_the_page_names_the_number_and_the_filters_and_changes_nothing(self, of_each_status: Service) -> None:
        before = statuses(of_each_status)
        html = confirm(of_each_status, "retry", "status=failed,cancelled&type=default")
        assert "Retry 2 tasks?" in html
        assert "<dt>Status</dt><dd>failed, cancelled</dd>" in html
        assert "<dt>Type</dt><dd>default</dd>" in html
        assert statuses(of_each_status) == before

    def test_the_number_is_that_of_tasks_that_the_verb_may_change(self, of_each_status: Service) -> None:
        assert "Cancel 2 tasks?" in confirm(of_each_status, "cancel")
        assert "Delete 4 tasks?" in confirm(of_each_status, "delete")
        assert "Retry 1 task?" in confirm(of_each_status, "retry", "arguments=n%3D1")
        assert "No task to retry" in confirm(of_each_status, "retry", "status=done")

    def test_a_number_beyond_the_bound_is_a_least_one(
        self, of_each_status: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("application.use_cases.count_matching.MAX_COUNTED_TASKS", 2)
        monkeypatch.setattr("application.use_cases.count_matching.STEP_TASKS", 1)
        assert "Delete at least 2 tasks?" in confirm(of_each_status, "delete", "created_after=1")
        assert "Delete 4 tasks?" in confirm(of_each_status, "delete", "status=failed,done,waiting,cancelled")

    def test_checked_tasks_are_changed_and_no_others(self, of_each_status: Service) -> None:
        html = shown(
            of_each_status, f"{TASKS}/confirm?verb=delete&scope=chosen&back=%2Fdashboard%2Ftasks&ids=1&ids=4&ids=5"
        )
        assert "Delete 2 tasks?" in html
        answer = send(of_each_status, fields(html, f"{TASKS}/change"))
        assert (answer.status_code, answer.headers["Location"]) == (303, TASKS)
        assert list(statuses(of_each_status)) == [2, 3, 4]

    def test_no_checked_task_is_never_all_tasks(self, of_each_status: Service) -> None:
        html = shown(of_each_status, f"{TASKS}/confirm?verb=delete&scope=chosen&ids=")
        assert "No task is selected" in html
        assert "<form method" not in html.partition("<main")[2].partition("</main>")[0]

    @pytest.mark.parametrize(
        "query", ["", "verb=claim&scope=all", "verb=retry", "verb=retry&scope=al", "verb=retry&scope=all&stat=failed"]
    )
    def test_a_wrong_question_is_refused(self, of_each_status: Service, query: str) -> None:
        shown(of_each_status, f"{TASKS}/confirm?{query}", 422)

    @pytest.mark.parametrize("missing", ["verb", "cursor", "as_of", "total", "done"])
    def test_a_form_without_its_bounds_changes_nothing(self, of_each_status: Service, missing: str) -> None:
        form = dict(fields(confirm(of_each_status, "delete"), f"{TASKS}/change"))
        before = statuses(of_each_status)
        for wrong in ({}, {missing: "x"}, {missing: ""}):
            rest = {name: value for name, value in form.items() if name != missing} | wrong
            assert send(of_each_status, rest).status_code == 422
        assert statuses(of_each_status) == before

    def test_a_page_of_another_origin_changes_nothing(self, of_each_status: Service) -> None:
        before = statuses(of_each_status)
        form = fields(confirm(of_each_status, "delete"), f"{TASKS}/change")
        answer = of_each_status.client.post(
            f"{TASKS}/change",
            data=urlencode(form),
            content_type="application/x-www-form-urlencoded",
            headers={"Sec-Fetch-Site": "cross-site"},
        )
        assert (answer.status_code, statuses(of_each_status)) == (403, before)

    def test_the_pages_work_behind_a_path(self) -> None:
        service = configured(backend_url="https://example.org/a/b")
        service.submit({})
        html = shown(service, f"{TASKS}/confirm?verb=cancel&scope=all&back=%2Fa%2Fb%2Fdashboard%2Ftasks")
        answer = send(service, fields(html, f"/a/b{TASKS}/change"))
        assert answer.headers["Location"] == f"/a/b{TASKS}"


@pytest.fixture
def in_small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each step change one batch of two tasks."""
    monkeypatch.setattr(change_tasks, "BATCH_TASKS", 2)
    monkeypatch.setattr(delete_tasks, "BATCH_TASKS", 2)
    monkeypatch.setattr(many, "SLICE_SECONDS", 0)


@pytest.mark.usefixtures("in_small_steps")
class TestChanging:
    def test_a_change_goes_on_step_by_step_and_leads_back_with_a_sentence(self) -> None:
        service = Service()
        for _ in range(5):
            service.submit({})
        html, shares = confirm(service, "cancel", back=f"{TASKS}?status=waiting"), []
        while (answer := send(service, fields(html, f"{TASKS}/change"))).status_code == 200:
            html = answer.text
            shares += re.findall(r'<progress class="whole" max="(\d+)" value="(\d+)"', html)
            assert "data-goes-on" in html
            assert f'<a class="button" href="{TASKS}?status=waiting" data-stop>Stop</a>' in html
        assert shares == [("5", "2"), ("5", "4")]
        assert answer.headers["Location"] == f"{TASKS}?status=waiting"
        assert "5 tasks are cancelled." in shown(service, answer.headers["Location"])

    @pytest.mark.parametrize(
        ("as_of", "kept"),
        [
            ("2026-01-01T00:00:00+23:59", "2025-12-31T00:01:00+00:00"),
            ("9999-12-31T23:59:59-23:59", None),
            ("2026-01-01T00:00:00", None),
        ],
    )
    def test_the_moment_of_a_form_is_one_that_the_database_has(self, as_of: str, kept: str | None) -> None:
        service = Service()
        for _ in range(5):
            service.submit({})
        answer = send(service, dict(fields(confirm(service, "cancel"), f"{TASKS}/change")) | {"as_of": as_of})
        assert answer.status_code == (200 if kept else 422)
        assert not kept or dict(fields(answer.text, f"{TASKS}/change"))["as_of"] == kept

    def test_only_the_answer_to_a_post_goes_on_by_itself(self) -> None:
        service = Service()
        service.submit({})
        assert "data-goes-on" not in confirm(service, "cancel")

    def test_tasks_that_come_meanwhile_are_left_as_they_are(self) -> None:
        service = Service()
        for _ in range(6):
            service.submit({})
        for _ in range(5):
            fail(service)
        service.clock.move(1)

        def meanwhile() -> None:
            service.clock.move(1)
            service.submit({})
            if task_of(service, 6).status is Status.WAITING:
                fail(service)  # task 6, which matches from now on

        change(service, "retry", "status=failed", meanwhile)
        assert {id for id, status in statuses(service).items() if status == "failed"} == {6}

    @given(st.data())
    @settings(max_examples=25)
    def test_the_set_that_is_changed_is_the_set_that_was_filtered(self, data: st.DataObject) -> None:
        """Whatever happens meanwhile: tasks that are submitted, finish, or are changed by other requests."""
        service = Service()
        for n in range(data.draw(st.integers(0, 8))):
            service.submit({"n": n % 2})
        events: dict[str, Callable[[], object]] = {
            "submit": lambda: service.submit({"n": 1}),
            "succeed": lambda: service.succeed("1") if has_waiting(service) else None,
            "fail": lambda: fail(service) if has_waiting(service) else None,
            "claim": lambda: service.claim() if has_waiting(service) else None,
        }

        def happen() -> None:
            for event in data.draw(st.lists(st.sampled_from(sorted(events)), max_size=4)):
                service.clock.move(1)
                events[event]()

        happen()
        service.clock.move(1)
        verb = data.draw(st.sampled_from(sorted(CHANGED)))
        wanted = data.draw(st.sampled_from(WANTED[verb]))
        address = f"status={wanted}{data.draw(st.sampled_from(['', '&arguments=n%3D1']))}"
        listed = rows(shown(service, f"{TASKS}?limit=1000&{address}"))
        meant = {id for id in listed if task_of(service, id).status in RULES[verb]}
        if not meant:
            assert "No task to" in confirm(service, verb.value, address)
            return
        change(service, verb.value, address, happen)
        last = service.store.state.last_id
        changed = {id for id in range(1, last + 1) if CHANGED[verb](service, id)}
        assert changed <= meant
        assert all(task_of(service, id).status.is_final for id in meant - changed)
        assert verb is Verb.CANCEL or changed == meant


WANTED = {
    Verb.RETRY: ["failed", "failed,done", "failed,waiting"],
    Verb.DELETE: ["failed", "done", "failed,done"],
    Verb.CANCEL: ["waiting,running", "failed,waiting,running"],
}
CHANGED: dict[Verb, Callable[[Service, int], bool]] = {
    Verb.RETRY: lambda service, id: task_of(service, id).max_attempts > 1,
    Verb.DELETE: lambda service, id: id not in statuses(service),
    Verb.CANCEL: lambda service, id: statuses(service)[id] == "cancelled",
}
"""Whether a task was changed, which nothing else does in these histories."""


def task_of(service: Service, id: int) -> Task:
    return service.store.state.rows[TaskId(id)].task


def has_waiting(service: Service) -> bool:
    return "waiting" in statuses(service).values()
