"""`?wait=` and `GET /task/{id}/events` over HTTP."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Any

import pytest
from werkzeug.test import TestResponse

from application.ports.queue import ProgressReport
from application.ports.wake_up import Topic
from domain.progress import Progress
from domain.settlement import RunningLog, Settlement
from domain.task import Task
from tests import steps
from tests.concurrency import until
from tests.unit.http_service import Service, configured


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.change_feed.close()


def waiting(service: Service) -> int:
    return len(service.change_feed.subscribers)


def finish(service: Service, result: str = "[1]") -> None:
    service.succeed(result)
    service.wake_up.notify(Topic.CHANGED)


def renew(service: Service, running: Task) -> None:
    """Make a change that is not visible in the view."""
    steps.renew(service.storage, [running.hold], running.expire)
    service.wake_up.notify(Topic.CHANGED)


def print_so_far(service: Service, running: Task, log: str) -> None:
    """Store the output of a running task."""
    service.clock.move(1)
    service.storage.autocommit.report_logs([RunningLog.of(running, service.clock.now(), log)])
    service.wake_up.notify(Topic.CHANGED)


def when_a_request_waits(service: Service, then: Any) -> Thread:
    """Call `then` in the background as soon as a request waits."""
    thread = Thread(target=lambda: (until(lambda: waiting(service)), then(service)))
    thread.start()
    return thread


class TestWait:
    def test_submit_answers_with_the_finished_task(self, service: Service) -> None:
        finisher = when_a_request_waits(service, finish)
        answer = service.client.post("/task/new?wait=50", json={"a": 1})
        finisher.join()
        assert (answer.status_code, answer.get_json()["status"], answer.get_json()["result"]) == (201, "done", [1])
        assert answer.headers["Location"] == "/task/1/view"

    @pytest.mark.parametrize("path", ["/task/1/view?wait=50", "/task/1?wait=50.0"])
    def test_view_answers_with_the_finished_task(self, service: Service, path: str) -> None:
        service.submit({})
        finisher = when_a_request_waits(service, finish)
        answer = service.client.get(path)
        finisher.join()
        assert (answer.status_code, answer.get_json()["status"]) == (200, "done")
        assert "Retry-After" not in answer.headers

    @pytest.mark.parametrize(("method", "path"), [("GET", "/task/1?wait=50"), ("POST", "/task/new?wait=50")])
    def test_a_task_that_is_deleted_during_the_wait_is_404(self, service: Service, method: str, path: str) -> None:
        if method == "GET":
            service.submit({})
        deleter = when_a_request_waits(service, lambda service: service.app().test_client().delete("/task/1"))
        answer = service.client.open(path, method=method, json={} if method == "POST" else None)
        deleter.join()
        assert (answer.status_code, answer.get_json()["message"]) == (404, "task id 1 is not registered")

    def test_a_failed_task_is_not_an_error_of_the_request(self, service: Service) -> None:
        def fail(service: Service) -> None:
            service.fail()
            service.wake_up.notify(Topic.CHANGED)

        finisher = when_a_request_waits(service, fail)
        answer = service.client.post("/task/new?wait=50", json={})
        finisher.join()
        assert (answer.status_code, answer.get_json()["status"]) == (201, "failed")

    def test_a_repeated_request_waits_for_the_first_task(self, service: Service) -> None:
        key = {"Idempotency-Key": "k"}
        service.client.post("/task/new", json={}, headers=key)
        finisher = when_a_request_waits(service, finish)
        answer = service.client.post("/task/new?wait=50", json={}, headers=key)
        finisher.join()
        assert (answer.status_code, answer.get_json()["status"]) == (200, "done")

    def test_a_wait_of_no_time_is_answered_at_once(self, service: Service) -> None:
        assert service.client.post("/task/new?wait=0", json={}).get_json()["status"] == "waiting"
        assert service.client.get("/task/1/view?wait=0.001").get_json()["status"] == "waiting"

    @pytest.mark.parametrize("wait", ["51", "-1", "x", "", "nan", "1e9"])
    @pytest.mark.parametrize("path", ["/task/1/view", "/task/1"])
    def test_an_invalid_wait_is_422(self, service: Service, path: str, wait: str) -> None:
        service.submit({})
        answer = service.client.get(f"{path}?wait={wait}")
        assert answer.status_code == 422
        assert list(answer.get_json()["errors"]["query"]) == ["wait"]

    def test_a_wait_beyond_the_limit_of_waiters_is_answered_at_once_with_retry_after(self) -> None:
        service = configured(http_waiters=0)
        answers = [service.client.post("/task/new?wait=50", json={}), service.client.get("/task/1?wait=50")]
        assert [(each.status_code, each.headers["Retry-After"]) for each in answers] == [(201, "1"), (200, "1")]

    def test_wait_for_an_unknown_task_is_404_at_once(self, service: Service) -> None:
        assert service.client.get("/task/7/view?wait=50").status_code == 404

    def test_waiting_requests_do_not_block_other_requests(self) -> None:
        service = configured(http_threads=1)
        service.submit({})
        with ThreadPoolExecutor() as pool:
            answers = [pool.submit(service.client.get, "/task/1?wait=50") for _ in range(3)]
            until(lambda: waiting(service) == 3)
            assert service.client.get("/ping").status_code == 200
            assert service.submit({})["id"] == 2
            finish(service)
            assert [each.result().get_json()["status"] for each in answers] == ["done"] * 3
        service.change_feed.close()

    def test_waiting_requests_are_answered_when_the_change_feed_closes(self, service: Service) -> None:
        closer = when_a_request_waits(service, lambda service: service.change_feed.close())
        answer = service.client.post("/task/new?wait=50", json={})
        closer.join()
        assert (answer.status_code, answer.get_json()["status"]) == (201, "waiting")


def follow(service: Service, id: int = 1, last: str | None = None) -> TestResponse:
    """Ask for the events of a task after the last one that is known."""
    headers = {} if last is None else {"Last-Event-ID": last}
    return service.client.get(f"/task/{id}/events", headers=headers, buffered=False)


def parsed(chunk: bytes) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in chunk.decode().strip("\n").split("\n"))


class TestEvents:
    def test_events_show_the_task_now_and_after_each_change_until_it_has_finished(self, service: Service) -> None:
        service.submit({"a": "\n\r\u2028"})
        with follow(service) as answer:
            assert (answer.status_code, answer.content_type) == (200, "text/event-stream")
            chunks = answer.iter_encoded()
            assert next(chunks) == b"retry: 1000\n\n"
            first = parsed(next(chunks))
            assert first["data"] == service.client.get("/task/1").text
            finish(service)
            last = parsed(next(chunks))
            assert last["data"] == service.client.get("/task/1").text
            assert '"status":"done"' in last["data"]
            assert first["id"] != last["id"]
            assert list(chunks) == []
        assert waiting(service) == 0

    def test_a_change_that_is_not_visible_is_a_heartbeat(self, service: Service) -> None:
        service.submit({})
        running = service.claim()
        with follow(service) as answer:
            chunks = answer.iter_encoded()
            next(chunks), next(chunks)
            renew(service, running)
            assert next(chunks) == b":\n\n"

    def test_a_change_of_the_log_is_an_event_with_a_name_and_no_id(self, service: Service) -> None:
        service.submit({})
        running = service.claim()
        with follow(service) as answer:
            chunks = answer.iter_encoded()
            next(chunks), next(chunks)
            for log in ("one\n", "one\ntwo\n"):
                print_so_far(service, running, log)
                assert next(chunks) == b'event: log\ndata: {"id":1,"claim":1}\n\n'
            renew(service, running)
            assert next(chunks) == b":\n\n"

    def test_a_change_of_the_log_and_of_the_task_are_two_events(self, service: Service) -> None:
        service.submit({})
        running = service.claim()
        with follow(service) as answer:
            chunks = answer.iter_encoded()
            next(chunks), next(chunks)
            with service._one_transaction() as storage:
                steps.report(storage, ProgressReport(running.hold, service.clock.now(), Progress(0.5)))
                storage.autocommit.report_logs([RunningLog.of(running, service.clock.now(), "half\n")])
            service.wake_up.notify(Topic.CHANGED)
            log, changed = next(chunks).split(b"\n\n", 1)
            assert log == b'event: log\ndata: {"id":1,"claim":1}'
            assert parsed(changed)["data"] == service.client.get("/task/1").text

    def test_a_client_that_connects_while_a_task_runs_learns_that_it_has_printed(self, service: Service) -> None:
        service.submit({})
        running = service.claim()
        print_so_far(service, running, "one\n")
        with follow(service) as answer:
            chunks = answer.iter_encoded()
            next(chunks)
            log, event = next(chunks).split(b"\n\n", 1)
            assert log.startswith(b"event: log\n")
        with follow(service, last=parsed(event)["id"]) as answer:
            chunks = answer.iter_encoded()
            next(chunks)
            assert next(chunks) == log + b"\n\n"

    def test_the_end_of_a_task_that_has_printed_is_one_event(self, service: Service) -> None:
        service.submit({})
        running = service.claim()
        with follow(service) as answer:
            chunks = answer.iter_encoded()
            next(chunks), next(chunks)
            with service._one_transaction() as storage:
                storage.autocommit.report_logs([RunningLog.of(running, service.clock.now(), "so far")])
                steps.settle(storage, Settlement.succeeded(running, service.clock.now(), "1", "the whole"))
            service.wake_up.notify(Topic.CHANGED)
            (last,) = chunks
            assert '"status":"done"' in parsed(last)["data"]

    def test_events_do_not_repeat_a_known_event_after_an_invisible_change(self, service: Service) -> None:
        service.submit({})
        running = service.claim()
        with follow(service) as answer:
            chunks = answer.iter_encoded()
            next(chunks)
            seen = parsed(next(chunks))["id"]
        with follow(service, last=seen) as answer:
            chunks = answer.iter_encoded()
            next(chunks)
            renew(service, running)
            assert next(chunks) == b":\n\n"

    def test_events_continue_after_the_last_event_id(self, service: Service) -> None:
        service.submit({})
        with follow(service) as answer:
            chunks = answer.iter_encoded()
            next(chunks)
            seen = parsed(next(chunks))["id"]
        finish(service)
        with follow(service, last=seen) as answer:
            _, last = answer.iter_encoded()
            assert '"status":"done"' in parsed(last)["data"]
        again = follow(service, last=parsed(last)["id"])
        assert (again.status_code, again.data) == (204, b"")

    @pytest.mark.parametrize("id", ["", "x", "-1", "9" * 100, "٣", "0"])
    def test_an_unknown_last_event_id_is_ignored(self, service: Service, id: str) -> None:
        service.submit({})
        finish(service)
        assert len(list(follow(service, last=id).response)) == 2

    def test_events_beyond_the_limit_of_waiters_are_one_event_with_retry_after(self) -> None:
        service = configured(http_waiters=0)
        service.submit({})
        answer = follow(service)
        assert (answer.status_code, answer.headers["Retry-After"]) == (200, "1")
        assert len(list(answer.response)) == 2

    def test_a_closed_stream_frees_its_subscription(self, service: Service) -> None:
        service.submit({})
        follow(service).close()
        assert waiting(service) == 0

    def test_events_of_an_unknown_task_are_404(self, service: Service) -> None:
        assert follow(service, 7).status_code == 404
