"""The page of one task: its life, its error, its log, its values, and the actions on it."""

import json
import re
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from adapters.memory.task_repository import MemoryTaskRepository
from application.json import scanning
from application.ports.queue import ProgressReport
from application.ports.task_repository import ANY_SIZE, LARGE_BYTES
from domain.failure import Failure
from domain.progress import Progress
from domain.schedule import Schedule
from domain.settlement import RunningLog, Settlement
from domain.task import Task
from entrypoints.http.pages.json_tree import steps_to, tree_of
from tests import steps
from tests.recurring import Recurring, recurring
from tests.unit.http_service import Service, configured

HOSTILE = "<script>alert(1)</script> \"q\" 'a' \u202egnp.exe\u202c nul \0 end &amp; <b>"
SHOWN = (
    "&lt;script&gt;alert(1)&lt;/script&gt; &#34;q&#34; &#39;a&#39; "
    '<span class="unseen-sign">U+202E</span>gnp.exe<span class="unseen-sign">U+202C</span> '
    'nul <span class="unseen-sign">U+0000</span> end &amp;amp; &lt;b&gt;'
)


@pytest.fixture
def service() -> Service:
    return Service()


def page(service: Service, path: str = "/dashboard/task/1", status: int = 200) -> str:
    answer = service.client.get(path)
    assert answer.status_code == status, answer.text
    return answer.text


def words(html: str) -> str:
    """The text of a page, as it is read."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html.replace("</dt>", " "))).strip()


def section(html: str, id: str) -> str:
    found = re.search(rf'<section id="{id}".*?</section>', html, re.DOTALL)
    assert found, f"there is no section {id}"
    return found[0]


def has_section(html: str, id: str) -> bool:
    return f'<section id="{id}"' in html


def started(service: Service, progress: Progress | None = None) -> Task:
    """Claim the next task, and report its start."""
    task = service.claim().reported(service.clock.now(), progress)
    if progress:
        steps.report(service.storage, ProgressReport(task.hold, service.clock.now(), progress))
    return task


def fail(service: Service, failure: Failure = steps.BOOM, log: str = "", seconds: float = 0.25) -> None:
    task = started(service)
    service.clock.move(seconds)
    steps.settle(service.storage, Settlement.failed(task, service.clock.now(), failure, steps.PLAIN, 0, log))


def succeed(service: Service, result: str, log: str = "") -> None:
    steps.settle(service.storage, Settlement.succeeded(started(service), service.clock.now(), result, log))


class TestLife:
    def test_each_start_tells_how_long_it_waited_and_ran_and_how_it_ended(self, service: Service) -> None:
        service.submit({}, "/task/new?max_attempts=3")
        service.clock.move(2)
        fail(service)
        service.clock.move(10)
        succeed(service, "1")
        life = section(page(service), "life")
        first, second = (words(each) for each in re.findall(r"<li.*?</li>", life, re.DOTALL))
        assert first.startswith("Attempt 1 failed waited 2 s, ran 250 ms ValueError: boom")
        assert second.startswith("Attempt 2 done waited 10 s, ran 0 ms")

    def test_a_running_start_names_its_handler(self, service: Service) -> None:
        service.submit({})
        task = started(service, Progress(0.5, "half"))
        life = words(section(page(service), "life"))
        assert "Attempt 1 running waited 0 ms, still runs on handler-1" in life
        assert task.lease

    def test_a_lost_start_says_which_handler_was_lost(self, service: Service) -> None:
        service.submit({})
        task = started(service)
        service.clock.move(40)
        steps.settle(service.storage, Settlement.lost(task, service.clock.now()))
        fail(service)
        assert "Attempt 1 lost waited 0 ms, ran 40 s handler handler-1 was lost" in words(page(service))

    def test_bars_follow_each_other_on_one_axis(self, service: Service) -> None:
        service.submit({}, "/task/new?max_attempts=3")
        fail(service, seconds=10)
        service.clock.move(10)
        fail(service, seconds=20)
        found = re.findall(r'<rect class="([^"]+)" x="(\d+)" y="\d" width="(\d+)"', section(page(service), "life"))
        bars = {(kind, int(x)): int(width) for kind, x, width in found}
        assert bars == {("waits", 0): 4, ("runs failed", 0): 250, ("waits", 250): 250, ("runs failed", 500): 500}

    def test_the_address_chooses_the_start_whose_log_is_shown(self, service: Service) -> None:
        service.submit({}, "/task/new?max_attempts=2")
        fail(service, log="first log\n")
        service.clock.move(20)
        fail(service, log="second log\n")
        assert "second log" in page(service)
        assert "first log" not in page(service)
        first = page(service, "/dashboard/task/1?start=1")
        assert "first log" in first
        assert "second log" not in first
        assert 'href="/dashboard/task/1?start=1"' in page(service)

    @pytest.mark.parametrize("start", ["7", "x", "-1", "9" * 100, "٣", ""])
    def test_an_unknown_start_shows_the_last_one(self, service: Service, start: str) -> None:
        service.submit({})
        fail(service, log="the log\n")
        assert "the log" in page(service, f"/dashboard/task/1?start={start}")

    def test_a_task_that_never_started_has_no_starts(self, service: Service) -> None:
        service.submit({})
        service.client.post("/task/1/cancel")
        assert not has_section(page(service), "life")


class TestState:
    def test_a_task_without_a_handler_for_its_type_says_to_start_one(self, service: Service) -> None:
        service.submit({})
        assert "No live handler has the type default. Start one" in words(page(service))

    def test_a_task_with_a_live_handler_waits_for_it(self, service: Service) -> None:
        service.publish("default")
        service.submit({})
        assert "Waits for a free handler since" in words(page(service))

    def test_a_delayed_task_says_until_when_it_waits(self, service: Service) -> None:
        service.submit({}, "/task/new?delay=60")
        assert "Waits until 2026-01-01 12:01:00 UTC" in words(page(service))

    def test_a_task_that_waits_for_others_names_them(self, service: Service) -> None:
        for _ in range(2):
            service.submit({})
        service.submit({}, "/task/new?after=1,2")
        answer = service.client.get("/dashboard/task/3").text
        assert re.search("Waits for the end of tasks 1 ?, 2 ?[.]", words(answer)), words(answer)
        assert 'href="/dashboard/task/1"' in answer
        assert "9999" not in answer
        service.client.post("/task/1/cancel")
        answer = service.client.get("/dashboard/task/3").text
        assert "ParentFailed" in answer
        assert "9999" not in answer

    def test_a_task_that_is_tried_again_says_which_attempt_comes(self, service: Service) -> None:
        service.submit({}, "/task/new?max_attempts=3")
        fail(service)
        assert re.search(r"Waits until 2026-01-01 12:00:10 UTC, for attempt 2 of 3", words(page(service)))

    def test_options_are_shown(self, service: Service) -> None:
        service.submit({}, "/task/new?priority=7&timeout=90&max_attempts=4")
        text = words(page(service))
        assert "Priority 7" in text
        assert "Timeout 1 min 30 s an attempt" in text
        assert "Attempts 0 of 4" in text
        assert "Expires 2026-01-02 12:00:00 UTC" in text

    def test_the_idempotency_key_is_shown(self, service: Service) -> None:
        service.client.post("/task/new", json={}, headers={"Idempotency-Key": "<order 7>"})
        assert "<bdi>&lt;order 7&gt;</bdi>" in page(service)

    def test_the_schedule_of_the_type_is_shown(self, service: Service) -> None:
        recurs = Recurring(service.storage, service.clock)
        recurs.publish("a", recurring("report", Schedule(every="*/5 * * * *", timezone="Europe/Berlin")))
        service.clock.move(2)
        service.submit({}, "/task/new/report")
        assert "Schedule of the type */5 * * * * Europe/Berlin" in words(page(service))

    def test_a_callback_is_shown_with_its_state(self) -> None:
        service = configured(webhook_secret="whsec_" + "a" * 32)
        service.submit({}, "/task/new?callback=http://example.org/hook%3Fa=1")
        assert "http://example.org/hook?a=1 is called when the task has finished" in words(page(service))
        fail(service)
        assert "is not delivered yet: 0 calls so far" in words(page(service))

    def test_progress_and_the_usual_run_time_are_shown_while_it_runs(self, service: Service) -> None:
        for _ in range(5):
            service.submit({})
            task = started(service)
            service.clock.move(12)
            steps.settle(service.storage, Settlement.succeeded(task, service.clock.now(), "1"))
        service.clock.move(60)
        service.submit({})
        started(service, Progress(0.25, HOSTILE))
        html = page(service, "/dashboard/task/6")
        assert '<progress max="1" aria-label="Progress" value="0.25">' in html
        assert "25 %" in html
        assert re.search(r"Usually 1\d(\.\d)? s \(median of the last 5\)", words(html))
        assert re.search(r'data-since="2026-01-01T12:02:00\S*" data-usual="1\d\.', html)
        assert "<script>alert" not in html


class TestError:
    TRACEBACK = (
        'Traceback (most recent call last):\n  File "/app/tasks/tasks.py", line 12, in work\n    load()\n'
        '  File "/usr/lib/python3.13/json/decoder.py", line 3, in decode\n    raise\nValueError: boom\n'
    )

    def test_a_traceback_names_the_place_in_the_users_code(self, service: Service) -> None:
        service.submit({})
        fail(service, Failure("ValueError", "boom", traceback=self.TRACEBACK))
        error = section(page(service), "error")
        assert "from tasks.py, line 12, in work" in words(error)
        assert re.search(r'<span class="library">\s*File &#34;/usr/lib/python3.13/json/decoder.py', error)
        assert words(error).endswith("ValueError: boom")

    def test_a_traceback_is_shown_whole(self, service: Service) -> None:
        service.submit({})
        fail(service, Failure("ValueError", "boom", traceback=self.TRACEBACK))
        shown = re.search(r'<pre class="traceback">\n(.*?)</pre>', page(service), re.DOTALL)
        assert shown
        assert re.sub(r"<[^>]+>", "", shown[1]).replace("&#34;", '"') == self.TRACEBACK

    def test_a_text_that_is_no_traceback_is_shown(self, service: Service) -> None:
        service.submit({})
        fail(service, Failure("ValueError", "boom", traceback=HOSTILE))
        assert SHOWN in section(page(service), "error")


class TestLog:
    def test_a_running_task_shows_the_end_of_its_log(self, service: Service) -> None:
        service.submit({})
        assert "The function has printed nothing so far" not in page(service)
        running = started(service)
        assert "The function has printed nothing so far" in page(service)
        service.storage.autocommit.report_logs([RunningLog.of(running, service.clock.now(), "line 1\n")])
        assert '<pre class="log" id="log-text">line 1\n</pre>' in page(service)

    def test_the_event_stream_has_the_log_and_no_values(self, service: Service) -> None:
        service.submit({"secret": "the arguments"})
        running = started(service)
        service.storage.autocommit.report_logs([RunningLog.of(running, service.clock.now(), "line 1\n")])
        assert "line 1" in streamed(service)
        assert "the arguments" not in streamed(service)

    def test_colours_become_classes_and_other_sequences_vanish(self, service: Service) -> None:
        service.submit({})
        fail(
            service, log="\x1b[1;31mred\x1b[0m \x1b[38;5;200mpink\x1b[39m\x1b[2K \x1b]8;;http://x\x07link\x1b]8;;\x07\n"
        )
        log = section(page(service), "log-of-1")
        assert '<span class="ansi-bold ansi-red">red</span> pink link\n' in log
        assert "\x1b" not in log

    def test_a_line_that_was_written_over_shows_its_last_version(self, service: Service) -> None:
        service.submit({})
        fail(service, log="start\r\n 1 %\r 50 %\r100 %\r\nend\n")
        assert '<pre class="log" id="log-text">start\n100 %\nend\n</pre>' in page(service)


class TestValues:
    def test_numbers_and_keys_stand_as_they_came(self, service: Service) -> None:
        service.submit({})
        result = '{"b":9223372036854775809,"a":1e-320,"c":1.10,"d":-0.0,"1":[1E+2,{"x":null}]}'
        succeed(service, result)
        shown = words(section(page(service), "result"))
        assert '"b": 9223372036854775809 "a": 1e-320 "c": 1.10 "d": -0.0 "1": [1E+2,{"x":null}]' in shown.replace(
            "&#34;", '"'
        )

    def test_an_inner_value_folds(self, service: Service) -> None:
        service.submit({"outer": {"inner": ["x" * 40, "y" * 40]}})
        html = section(page(service), "arguments")
        assert html.count("<details") == 2
        assert re.search(r'<summary><bdi class="key">&#34;outer&#34;</bdi>: <span class="size">\{1\}</span>', html)

    @pytest.mark.parametrize("part", ["args", "result"])
    def test_the_download_is_the_stored_text(self, service: Service, part: str) -> None:
        service.submit({"b": [1.10, "ä\u202e"]})
        succeed(service, '{"z":1e-320,"a":"\\u0000é"}')
        answer = service.client.get(f"/dashboard/task/1/{part}.json")
        expected = {"args": '{"b":[1.1,"ä\u202e"]}', "result": '{"z":1e-320,"a":"\\u0000é"}'}[part]
        assert (answer.status_code, answer.mimetype, answer.text) == (200, "application/json", expected)
        assert answer.headers["Content-Disposition"] == f'attachment; filename="task-1-{part}.json"'
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")

    def test_a_task_without_a_result_has_none_to_show_or_load(self, service: Service) -> None:
        service.submit({})
        assert "data-pending" in section(page(service), "result")
        page(service, "/dashboard/task/1/result", 404)
        page(service, "/dashboard/task/1/result.json", 404)

    @pytest.mark.parametrize("result", ["null", "1.10", '"text"', "[]", "{}", "true"])
    def test_a_result_without_members_is_shown(self, service: Service, result: str) -> None:
        service.submit({})
        succeed(service, result)
        assert result.replace('"', "&#34;") in section(page(service), "result")
        page(service, "/dashboard/task/1/result")


def streamed(service: Service) -> str:
    """The first event of the stream of the page."""
    answer = service.client.get("/dashboard/task/1", headers={"Accept": "text/event-stream"}, buffered=False)
    with closing(answer):
        events = answer.iter_encoded()
        next(events)
        return next(events).decode()


LARGE: dict[str, Any] = {
    "numbers": [0.5] * 1_000_000,
    "records": [{"name": "x" * 9, "value": 0.5, "ok": True}] * 90_000,
    "hostile": ['"<\u202e' * 25] * 25_000,
    "text": "\u202e" * 1_000_000,
    "series": {f"k{n}": [0.5] * 10_000 for n in range(90)},
    "keys": {f"{n}<" * 2_000: n for n in range(1_500)},
    "bushy": [["\u202e" * 200] * 20] * 250,
    "wide": [[[["0123456789" * 8] * 20] * 20] * 20] * 20,
    "deep": {"a": {"b": {"c": {"d": [[0.5] * 100] * 10_000}}}},
}


class TestLargeValues:
    @pytest.mark.parametrize("shape", LARGE)
    def test_a_large_result_adds_little_to_the_page(self, service: Service, shape: str) -> None:
        service.submit({})
        succeed(service, json.dumps(LARGE[shape], separators=(",", ":"), ensure_ascii=False))
        assert len(section(page(service), "result").encode()) < 100_000

    def test_a_long_list_says_how_many_more_it_has_and_leads_there(self, service: Service) -> None:
        service.submit({})
        succeed(service, json.dumps(["0", *range(1, 12_375)], separators=(",", ":")))
        html = page(service)
        more = re.search(r'<a href="([^"]+)">and (.*?) more</a>', html)
        assert more
        assert more[2] == "12\N{NARROW NO-BREAK SPACE}345"
        assert more[1] == "/dashboard/task/1/result?path=&amp;from=30"
        further = page(service, "/dashboard/task/1/result?from=100")
        assert '<span class="nth">100</span> <bdi class="value number">100</bdi>' in further
        assert "numbers 100 to 199 are shown" in words(further)
        last = page(service, "/dashboard/task/1/result?from=12300")
        assert '<bdi class="value number">12374</bdi>' in last
        assert "more</a>" not in last

    def test_a_deep_part_has_a_page_of_its_own(self, service: Service) -> None:
        service.submit({})
        succeed(service, '{"a":{"<k>":[1,{"b":[true,"\\u202ex"]}]}}')
        html = page(service, "/dashboard/task/1/result?path=0.0.1.0")
        assert "&#34;&lt;k&gt;&#34;" in html
        assert '<bdi class="value word">true</bdi>' in html

    @pytest.mark.parametrize("path", ["1", "0.0.0.0.0", "x", "0.", "-1", "0" * 50, "0." * 300 + "0", "٣"])
    def test_a_part_that_is_not_there_answers_404(self, service: Service, path: str) -> None:
        service.submit({})
        succeed(service, '{"a":{"b":[1]}}')
        page(service, f"/dashboard/task/1/result?path={path}", 404)

    def test_a_long_string_is_cut_and_shown_whole_on_its_page(self, service: Service) -> None:
        service.submit({})
        succeed(service, json.dumps({"s": ["ä\n<" * 30_000]}))
        assert '<a href="/dashboard/task/1/result?path=0.0">show all</a>' in page(service)
        first = page(service, "/dashboard/task/1/result?path=0.0")
        assert first.count("ä\n&lt;") == 50_000 // 3
        assert "path=0.0&amp;from=50000" in first
        assert page(service, "/dashboard/task/1/result?path=0.0&from=50000").count("ä\n&lt;") == 40_000 // 3

    def test_the_event_stream_reads_no_large_value(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        service.submit({})
        succeed(service, json.dumps("x" * 300_000))
        read: list[int] = []
        store = type(service.storage.autocommit)
        get_many = store.get_many

        def get_and_note(self: Any, ids: Any, max_bytes: int = ANY_SIZE) -> Any:
            read.append(max_bytes)
            return get_many(self, ids, max_bytes)

        def get_one_and_note(self: Any, id: Any, max_bytes: int = ANY_SIZE) -> Any:
            read.append(max_bytes)
            return get_one(self, id, max_bytes)

        get_one = MemoryTaskRepository.get
        monkeypatch.setattr(store, "get_many", get_and_note)
        monkeypatch.setattr(MemoryTaskRepository, "get", get_one_and_note)
        streamed(service)
        assert LARGE_BYTES in read
        assert max(read) <= LARGE_BYTES


class TestHostileTexts:
    def test_the_text_of_a_user_is_only_text(self, service: Service) -> None:
        service.submit({HOSTILE: HOSTILE})
        service.submit({HOSTILE: HOSTILE})
        fail(service, Failure(HOSTILE, HOSTILE, traceback=HOSTILE), log=HOSTILE)
        succeed(service, json.dumps({HOSTILE: [HOSTILE]}, ensure_ascii=False))
        failed, done = page(service), page(service, "/dashboard/task/2")
        assert failed.count(SHOWN) >= 4
        for html in (failed, done):
            assert "<script>alert" not in html
            assert not re.search("[\0\u202e\u202c]", html)

    @pytest.mark.parametrize("part", ["args", "result"])
    def test_a_key_and_a_string_are_only_text_on_their_pages(self, service: Service, part: str) -> None:
        service.submit({HOSTILE: HOSTILE})
        succeed(service, json.dumps({HOSTILE: HOSTILE}, ensure_ascii=False))
        for path in ("", "?path=0"):
            html = page(service, f"/dashboard/task/1/{part}{path}")
            assert "<script>alert" not in html
            assert not re.search("[\0\u202e\u202c]", html)
        assert SHOWN in page(service, f"/dashboard/task/1/{part}?path=0")

    def test_no_script_or_style_is_inside_the_page(self, service: Service) -> None:
        service.submit({})
        fail(service)
        html = page(service)
        assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|javascript:", html) == []


class TestActions:
    def test_run_again_submits_a_task_with_the_same_arguments_and_options(self, service: Service) -> None:
        args = {"big": 2**63 + 1, "tiny": 1e-320, "text": HOSTILE}
        service.submit(args, "/task/new?priority=5&timeout=7&ttl=100")
        answer = service.client.post("/dashboard/task/1/again", data={})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard/task/2")
        first, second = service.view(1), service.view(2)
        assert json.dumps(second["args"]) == json.dumps(first["args"])
        assert (second["priority"], second["expire"] - second["created"]) == (5, 100)

    def test_run_again_of_an_unknown_task_answers_404(self, service: Service) -> None:
        assert service.client.post("/dashboard/task/1/again", data={}).status_code == 404

    def test_run_again_with_changes_leads_to_the_form(self, service: Service) -> None:
        service.submit({})
        assert 'href="/dashboard/submit/default?from=1"' in page(service)

    def test_delete_asks_first_and_deletes_then(self, service: Service) -> None:
        service.submit({})
        asked = page(service, "/dashboard/task/1/delete")
        assert '<form class="action" method="post" action="/dashboard/task/1/delete">' in asked
        assert service.view()["id"] == 1
        answer = service.client.post("/dashboard/task/1/delete", data={})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard/tasks")
        page(service, status=404)

    def test_a_running_task_cannot_be_deleted(self, service: Service) -> None:
        service.submit({})
        service.claim()
        assert "/dashboard/task/1/delete" not in page(service)
        assert "cannot be deleted" in page(service, "/dashboard/task/1/delete")

    @pytest.mark.parametrize(
        ("status", "labels"),
        [
            ("waiting", ["Cancel", "Run again"]),
            ("running", ["Cancel", "Run again"]),
            ("done", ["Run again"]),
            ("failed", ["Retry", "Run again"]),
            ("cancelled", ["Retry", "Run again"]),
        ],
    )
    def test_only_possible_actions_are_offered(self, service: Service, status: str, labels: list[str]) -> None:
        service.submit({})
        lead_to: dict[str, Callable[[], object]] = {
            "waiting": lambda: None,
            "running": service.claim,
            "done": lambda: service.succeed("1"),
            "failed": service.fail,
            "cancelled": lambda: service.client.post("/task/1/cancel"),
        }
        lead_to[status]()
        assert re.findall(r'<form class="action".*?<button class="[^"]*"[^>]*>([^<]+)', page(service)) == labels


class TestUnknownTasks:
    @pytest.mark.parametrize("path", ["/dashboard/task/7", "/dashboard/task/x", "/dashboard/task/7/args"])
    def test_an_unknown_task_says_why_it_may_be_gone(self, service: Service, path: str) -> None:
        text = words(page(service, path, 404))
        assert "There is no such task" in text
        assert "MAX_TASK_TIME, which is 1 d here" in text

    def test_a_hostile_id_is_only_text(self, service: Service) -> None:
        html = page(service, "/dashboard/task/%3Cscript%3E%E2%80%AE", 404)
        assert "<script>" not in html
        assert "\u202e" not in html

    def test_a_character_that_has_no_form_in_a_page_is_replaced(self, service: Service) -> None:
        service.submit({})
        steps.fail(service.storage, service.claim(), service.clock.now(), Failure("E", "\ud800"))
        assert "<bdi>?</bdi>" in page(service)
        assert "<bdi>?</bdi>" in streamed(service)

    def test_the_stream_of_a_deleted_task_says_that_it_is_gone(self, service: Service) -> None:
        assert "This task is gone" in streamed(service)

    def test_links_begin_with_the_path_of_the_public_address(self) -> None:
        service = configured(backend_url="https://example.org/a/b")
        service.submit({"s": "x" * 1000})
        succeed(service, json.dumps(list(range(1000))))
        for path in ("/dashboard/task/1", "/dashboard/task/1/result", "/dashboard/task/1/delete", "/dashboard/task/7"):
            html = service.client.get(path).text
            links = re.findall(r'(?:href|src|action|connect|copy-from)="([^"#]*)"', html)
            assert [link for link in links if not link.startswith("/a/b/")] == []


@pytest.mark.parametrize("nth", [0, 1])
def test_the_way_to_a_deep_value_reads_few_characters_twice(nth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    depth, leaf = 190, f"[{','.join('1' * 100_000)}]"
    text, place = f"[{'0,' * nth}" * depth + leaf + "]" * depth, ".".join([str(nth)] * depth)
    read, advanced = 0, scanning._advanced

    def counted(text: str, state: scanning._State, size: int) -> scanning._State:
        nonlocal read
        read += size
        return advanced(text, state, size)

    monkeypatch.setattr(scanning, "_advanced", counted)
    assert tree_of(text, place).characters == len(leaf)
    assert len(steps_to(text, place)) == depth
    assert read < 8 * len(text)
