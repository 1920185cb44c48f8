"""`GET /task/{id}/result`: the value alone."""

from collections.abc import Iterator
from threading import Thread

import pytest
from werkzeug.test import TestResponse

from application.ports.wake_up import Topic
from tests.concurrency import until
from tests.unit.http_service import Service, configured


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    service.submit({"a": 1})
    yield service
    service.change_feed.close()


def result(service: Service, query: str = "", id: object = 1, **headers: str) -> TestResponse:
    return service.client.get(f"/task/{id}/result{query}", headers=headers)


class TestDone:
    @pytest.mark.parametrize("text", ["3", "null", '"Zürich\\u0000"', '{"b":1.0,"a":12345678901234567890,"-":-0.0}'])
    def test_the_result_of_a_done_task_is_the_stored_text(self, service: Service, text: str) -> None:
        service.succeed(text)
        answer = result(service)
        assert (answer.status_code, answer.content_type, answer.text) == (200, "application/json", text)

    def test_a_known_result_is_not_sent_again(self, service: Service) -> None:
        service.succeed("3")
        tag = result(service).headers["ETag"]
        known = result(service, **{"If-None-Match": f'"other", {tag}'})
        assert (known.status_code, known.data, known.headers["ETag"]) == (304, b"", tag)
        assert result(service, **{"If-None-Match": "*"}).status_code == 304
        assert result(service, **{"If-None-Match": '"other"'}).text == "3"

    def test_results_of_two_tasks_have_different_tags(self, service: Service) -> None:
        service.submit({"a": 1})
        service.succeed("3")
        service.succeed("3")
        assert result(service).headers["ETag"] != result(service, id=2).headers["ETag"]

    def test_another_result_under_the_same_id_has_another_tag(self, service: Service) -> None:
        other = Service()
        other.submit({})
        service.succeed("3")
        other.succeed("4")
        assert result(service).headers["ETag"] != result(other).headers["ETag"]

    def test_a_result_may_be_kept_by_the_client_alone_and_is_asked_for_again(self, service: Service) -> None:
        service.succeed("3")
        assert result(service).headers.getlist("Cache-Control") == ["private, no-cache"]

    def test_a_page_of_an_allowed_origin_may_read_the_tag(self) -> None:
        service = configured(frontend_url=("https://app.example.org",))
        service.submit({})
        service.succeed("3")
        answer = result(service, Origin="https://app.example.org")
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]


class TestNotDone:
    @pytest.mark.parametrize("status", ["waiting", "running"])
    def test_a_result_that_is_not_there_yet_is_202(self, service: Service, status: str) -> None:
        if status == "running":
            service.claim()
        answer = result(service)
        assert (answer.status_code, answer.get_json()) == (202, {"id": 1, "status": status})
        assert answer.headers["Retry-After"] == "1"
        assert "ETag" not in answer.headers

    def test_the_result_of_a_failed_task_is_424_with_its_error(self, service: Service) -> None:
        service.fail()
        answer = result(service)
        assert answer.status_code == 424
        assert answer.get_json() == {
            "code": 424,
            "status": "Failed Dependency",
            "message": "task 1 failed with ValueError: boom",
            "errors": {"task": {"ValueError": ["boom"]}},
        }

    def test_the_result_of_a_cancelled_task_is_424(self, service: Service) -> None:
        service.client.post("/task/1/cancel")
        answer = result(service)
        assert (answer.status_code, answer.get_json()["message"]) == (424, "task 1 was cancelled")
        assert "errors" not in answer.get_json()

    @pytest.mark.parametrize("id", [7, "x", "9" * 30])
    def test_the_result_of_an_unknown_task_is_404(self, service: Service, id: object) -> None:
        assert result(service, id=id).get_json()["message"] == f"task id {id} is not registered"

    def test_an_unknown_parameter_is_422(self, service: Service) -> None:
        assert result(service, "?colour=red").status_code == 422


class TestWaiting:
    def test_a_waiting_request_is_answered_with_the_result(self, service: Service) -> None:
        def finish() -> None:
            until(lambda: service.change_feed.subscribers)
            service.succeed("[1]")
            service.wake_up.notify(Topic.CHANGED)

        thread = Thread(target=finish)
        thread.start()
        answer = result(service, "?wait=50")
        thread.join()
        assert (answer.status_code, answer.text) == (200, "[1]")

    def test_a_wait_that_is_over_is_answered_with_202(self, service: Service) -> None:
        assert result(service, "?wait=0.001").status_code == 202
