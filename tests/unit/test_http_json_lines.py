"""`GET /tasks` with texts, by ends, and as JSON lines."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Thread
from typing import Any

import pytest
from werkzeug.test import TestResponse

from entrypoints.http.routes import json_lines
from tests import steps
from tests.unit.http_service import Service, configured

LINES = {"Accept": "application/x-ndjson"}


@pytest.fixture
def service() -> Service:
    return filled(Service())


def filled(service: Service) -> Service:
    """Tasks from 1 to 5: 2 has ended first, then 3, then 1; 4 and 5 wait."""
    for n in range(5):
        service.submit({"n": n})
    running = [service.claim() for _ in range(3)]
    for n in (1, 2, 0):
        service.clock.move(1.000_001)
        steps.succeed(service.storage, running[n], service.clock.now(), f'[{n},"ü"]')
    return service


def page(service: Service, query: str) -> dict[str, Any]:
    answer = service.client.get(f"/tasks?{query}")
    assert (answer.status_code, answer.content_type) == (200, "application/json"), answer.text
    return answer.get_json()


def stream(service: Service, query: str = "") -> TestResponse:
    answer = service.client.get(f"/tasks?{query}", headers=LINES, buffered=False)
    assert (answer.status_code, answer.content_type) == (200, "application/x-ndjson"), answer.text
    return answer


def lines(service: Service, query: str = "") -> list[dict[str, Any]]:
    text = stream(service, query).text
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def ids(tasks: list[dict[str, Any]]) -> list[int]:
    return [task["id"] for task in tasks]


class TestTexts:
    def test_included_texts_stand_in_the_tasks_of_a_page(self, service: Service) -> None:
        with_both = page(service, "include=args,result&limit=3")["tasks"]
        assert [(task["args"], task["result"]) for task in with_both] == [
            ({"n": 4}, None),
            ({"n": 3}, None),
            ({"n": 2}, [2, "ü"]),
        ]
        assert "n" not in with_both[0]
        results = page(service, "include=result&status=done")["tasks"]
        assert [(task["id"], task["result"], "args" in task) for task in results] == [
            (3, [2, "ü"], False),
            (2, [1, "ü"], False),
            (1, [0, "ü"], False),
        ]

    def test_a_page_ends_early_where_its_texts_are_large(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("application.use_cases.list_tasks.MAX_PAGE_BYTES", 16)
        first = page(service, "include=result&status=done")
        assert (ids(first["tasks"]), first["next"]) == ([3, 2], "2")
        assert ids(page(service, "include=result&status=done&cursor=2")["tasks"]) == [1]

    @pytest.mark.parametrize("value", ["", "log", "args,", "args result", "result,result,x"])
    def test_other_texts_are_422(self, service: Service, value: str) -> None:
        answer = service.client.get(f"/tasks?include={value}")
        assert (answer.status_code, list(answer.get_json()["errors"]["query"])) == (422, ["include"])


class TestOrderOfEnds:
    def test_finished_tasks_come_in_the_order_of_their_ends(self, service: Service) -> None:
        assert ids(page(service, "ids=1,2,3,4,5,99&order=finished")["tasks"]) == [2, 3, 1]
        assert ids(page(service, "ids=3,1&order=finished&include=result")["tasks"]) == [3, 1]
        assert ids(lines(service, "ids=1,2,3,4&order=finished")[:-1]) == [2, 3, 1]

    def test_the_tasks_of_a_batch_are_listed_by_their_ends_too(self, service: Service) -> None:
        service.client.post("/batches", json={"tasks": [{"args": {"n": n}, "priority": 9} for n in range(3)]})
        running = [service.claim() for _ in range(3)]
        for each in reversed(running):
            service.clock.move(1)
            steps.succeed(service.storage, each, service.clock.now())
        first = page(service, "batch=1&order=finished&limit=2")
        assert ids(first["tasks"]) == [8, 7]
        assert ids(page(service, f"batch=1&order=finished&cursor={first['next']}")["tasks"]) == [6]
        assert ids(lines(service, "batch=1&order=finished&include=result")[:-1]) == [8, 7, 6]

    def test_a_page_by_ends_goes_on_at_its_cursor(self, service: Service) -> None:
        query = "ids=1,2,3,4&order=finished&status=done,failed"
        first = page(service, f"{query}&limit=2")
        assert ids(first["tasks"]) == [2, 3]
        second = page(service, f"{query}&limit=2&cursor={first['next']}")
        assert (ids(second["tasks"]), second["next"]) == ([1], None)
        assert ids(lines(service, f"{query}&cursor={first['next']}")[:-1]) == [1]

    def test_a_page_by_ends_ends_early_where_its_texts_are_large(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("application.use_cases.list_tasks.MAX_PAGE_BYTES", 1)
        query, next, found = "ids=1,2,3,4&order=finished&include=result", "", []
        for _ in range(3):
            answer = page(service, query + next)
            found += ids(answer["tasks"])
            next = f"&cursor={answer['next']}"
        assert (found, next) == ([2, 3, 1], "&cursor=None")
        assert ids(lines(service, query)[:-1]) == [2, 3, 1]

    def test_the_end_of_the_last_known_task_finds_those_that_have_ended_since(self, service: Service) -> None:
        known = service.view(3)["finished"]
        assert ids(page(service, f"ids=1,2,3,4&order=finished&finished_after={known}")["tasks"]) == [3, 1]

    @pytest.mark.parametrize(
        ("query", "wrong"),
        [
            ("order=finished", "order"),
            ("order=finished&status=done", "order"),
            ("order=newest&ids=1", "order"),
            ("order=finished&ids=1&cursor=5", "cursor"),
            ("ids=1&cursor=5-1", "cursor"),
            ("order=finished&ids=1&cursor=5-", "cursor"),
        ],
    )
    def test_an_order_without_ids_and_a_cursor_of_another_order_are_422(
        self, service: Service, query: str, wrong: str
    ) -> None:
        for headers in ({}, LINES):
            answer = service.client.get(f"/tasks?{query}", headers=headers)
            assert (answer.status_code, list(answer.get_json()["errors"]["query"])) == (422, [wrong])

    def test_a_cursor_beyond_all_times_is_no_error(self, service: Service) -> None:
        assert page(service, f"order=finished&ids=1&cursor={'9' * 18}-1")["tasks"] == []


class TestJsonLines:
    @pytest.fixture(autouse=True)
    def short_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(json_lines, "PAGE_TASKS", 2)
        monkeypatch.setattr(json_lines, "RETRY_SECONDS", 0.001)

    def test_a_stream_has_all_tasks_and_a_last_line_without_a_cursor(self, service: Service) -> None:
        *tasks, last = lines(service)
        assert tasks == page(service, "")["tasks"]
        assert last == {"next": None}

    def test_a_stream_of_nothing_has_only_its_last_line(self, service: Service) -> None:
        assert lines(service, "status=failed") == [{"next": None}]

    def test_a_stream_has_the_filters_texts_and_limit_of_a_page(self, service: Service) -> None:
        query = "include=args,result&ids=1,2,3,4&limit=3"
        *tasks, last = lines(service, query)
        assert {"tasks": tasks, **last} == page(service, query)
        assert (ids(tasks), last) == ([4, 3, 2], {"next": "2"})
        assert ids(lines(service, f"{query}&cursor=2")[:-1]) == [1]

    def test_a_stream_reads_a_page_when_the_one_before_was_taken(self, service: Service) -> None:
        with stream(service) as answer:
            pieces = answer.iter_encoded()
            assert next(pieces).count(b"\n") == 2
            service.client.delete("/task/2")
            service.submit({})
            assert ids([json.loads(line) for line in b"".join(pieces).splitlines()[:-1]]) == [3, 1]

    def test_a_stream_goes_on_when_the_database_is_back(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tries: list[float] = []

        def come_back(seconds: float) -> bool:
            tries.append(seconds)
            service.away = len(tries) < 4
            return True

        monkeypatch.setattr(service.container.open_lists(), "wait", come_back)
        with stream(service) as answer:
            pieces = answer.iter_encoded()
            first = next(pieces)
            service.away = True
            rest = b"".join(pieces)
        assert ids([json.loads(line) for line in (first + rest).splitlines()[:-1]]) == [5, 4, 3, 2, 1]
        assert tries[1:4] == [json_lines.RETRY_SECONDS] * 3

    def test_a_stream_ends_with_an_error_and_a_cursor_when_the_database_stays_away(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(json_lines, "MAX_OUTAGE_SECONDS", 0)
        with stream(service, "status=waiting,done") as answer:
            pieces = answer.iter_encoded()
            next(pieces)
            service.away = True
            (last,) = pieces
        cut = json.loads(last)
        assert cut["error"] == {
            "code": 503,
            "status": "Service Unavailable",
            "message": "the database is unavailable: try again later",
        }
        service.away = False
        assert ids(lines(service, f"cursor={cut['next']}")[:-1]) == [3, 2, 1]

    def test_a_stream_ends_with_an_error_and_a_cursor_when_the_process_stops(self, service: Service) -> None:
        with stream(service, "ids=1,2,3&order=finished") as answer:
            pieces = answer.iter_encoded()
            next(pieces)
            service.container.open_lists().close()
            (last,) = pieces
        cut = json.loads(last)
        assert cut["error"]["code"] == 503
        assert ids(page(service, f"ids=1,2,3&order=finished&cursor={cut['next']}")["tasks"]) == [1]

    def test_an_outage_before_the_first_line_is_503(self, service: Service) -> None:
        service.client.get("/ping")
        service.away = True
        answer = service.client.get("/tasks", headers=LINES)
        assert (answer.status_code, answer.content_type) == (503, "application/json")

    @pytest.mark.parametrize(
        ("accept", "is_stream"),
        [
            ("application/x-ndjson", True),
            ("application/x-ndjson, application/json;q=0.5", True),
            ("application/json, application/x-ndjson;q=0.5", False),
            ("*/*", False),
            ("text/html", False),
        ],
    )
    def test_the_accepted_type_decides(self, service: Service, accept: str, is_stream: bool) -> None:
        answer = service.client.get("/tasks", headers={"Accept": accept})
        assert (answer.content_type == "application/x-ndjson") == is_stream


class TestPlaces:
    @pytest.fixture(autouse=True)
    def short_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(json_lines, "PAGE_TASKS", 2)

    @pytest.fixture
    def streams(self, service: Service) -> Iterator[ExitStack]:
        """As many streams as there may be, which nothing reads."""
        with ExitStack() as stack:
            for _ in range(32):
                stack.enter_context(stream(service))
            yield stack

    def test_a_stream_beyond_the_limit_is_503_with_retry_after(self, service: Service, streams: ExitStack) -> None:
        answer = service.client.get("/tasks", headers=LINES)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        streams.close()
        assert len(lines(service)) == 6

    def test_a_request_for_the_head_alone_gives_its_place_back(self, service: Service) -> None:
        for _ in range(33):
            assert service.client.head("/tasks", headers=LINES).status_code == 200

    def test_lists_of_one_page_need_no_place(self, service: Service, streams: ExitStack) -> None:
        assert len(lines(service, "status=waiting")) == 3
        assert len(page(service, "")["tasks"]) == 5

    def test_streams_that_nothing_reads_hold_up_no_other_request(self) -> None:
        service = filled(configured(http_threads=1))
        with ExitStack() as stack:
            for _ in range(32):
                next(stack.enter_context(stream(service)).iter_encoded())
            assert service.client.get("/ping").status_code == 200

    def test_a_page_of_a_stream_is_read_in_a_slot_of_a_request(self) -> None:
        service = filled(configured(http_threads=1))
        app = service.app()
        limit = vars(app.wsgi_app)["_app"]
        answer = app.test_client().get("/tasks", headers=LINES, buffered=False)
        pieces = answer.iter_encoded()
        next(pieces)
        limit._free.get()
        taken: list[bytes] = []
        reader = Thread(target=lambda: taken.append(next(pieces)))
        reader.start()
        reader.join(0.05)
        assert not taken
        limit._free.put(None)
        reader.join()
        assert taken
        answer.close()
