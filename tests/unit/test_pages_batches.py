"""The pages of batches over memory: the list, one batch, and the actions on it."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from domain.failure import Failure
from tests import steps
from tests.unit.http_service import Service
from tests.unit.pages_service import html, text_of

HOSTILE = "<script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}"
LIST, BATCH = "/dashboard/batches", "/dashboard/batch/1"


@pytest.fixture
def service() -> Service:
    return Service()


def create(service: Service, tasks: int = 0, **members: Any) -> int:
    """Create a batch of so many tasks."""
    answer = service.client.post("/batches", json={"tasks": [{}] * tasks, **members})
    assert answer.status_code == 201, answer.text
    return int(answer.get_json()["id"])


def fail(service: Service, message: str = "boom") -> None:
    steps.fail(service.storage, service.claim(), service.clock.now(), Failure("ValueError", message))


def press(service: Service, page: str, label: str) -> TestResponse:
    """Follow the link or press the button of this label, as a browser without scripts would."""
    if link := re.search(rf'<a class="button[^"]*" href="([^"]*)">{label}…</a>', page):
        return service.client.get(unescape(link[1]))
    found = re.search(rf'<form [^>]*method="post" action="([^"]*)">((?:(?!</form>).)*)>{label}', page, re.DOTALL)
    assert found, label
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', found[2])
    body = urlencode([(name, unescape(value)) for name, value in fields])
    return service.client.post(found[1], data=body, content_type="application/x-www-form-urlencoded")


class TestList:
    def test_batches_are_listed_newest_first_with_their_counts(self, service: Service) -> None:
        create(service, 2, name="first")
        create(service, 3)
        fail(service)
        page = html(service, LIST)
        assert re.findall(r'<tr id="batch-(\d+)"', page) == ["2", "1"]
        first, second = (text_of(each) for each in page.split("<tbody>")[1].split("</tr>")[:2])
        assert "0 of 3" in first
        assert "3 waiting" in first
        assert second.startswith("1 first")
        assert "1 of 2" in second
        assert "1 failed" in second

    def test_older_batches_are_a_page_away(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("entrypoints.http.pages.batches.PAGE_BATCHES", 2)
        for _ in range(3):
            create(service)
        (older,) = re.findall(r'<a href="([^"]*)" rel="next">', html(service, LIST))
        page = html(service, unescape(older))
        assert re.findall(r'<tr id="batch-(\d+)"', page) == ["1"]
        assert f'<a href="{LIST}">Newest batches</a>' in page

    def test_the_navigation_leads_to_the_list(self, service: Service) -> None:
        assert f'<a href="{LIST}" aria-current="page">Batches</a>' in html(service, LIST)

    def test_an_empty_list_says_how_a_batch_is_made(self, service: Service) -> None:
        assert "curl -X POST http://localhost/batches" in unescape(html(service, LIST))

    @pytest.mark.parametrize("cursor", ["", "x", "0", "9" * 30])
    def test_a_cursor_that_means_nothing_is_the_first_page(self, service: Service, cursor: str) -> None:
        create(service)
        assert 'id="batch-1"' in html(service, f"{LIST}?cursor={cursor}")


class TestBatch:
    def test_a_batch_shows_its_progress_and_counts_as_links(self, service: Service) -> None:
        create(service, 4, name="sums", labels={"user": "ana"})
        fail(service)
        service.succeed("1")
        page = html(service, BATCH)
        for status, number in {"waiting": 2, "running": 0, "done": 1, "failed": 1, "cancelled": 0}.items():
            assert f'href="/dashboard/tasks?batch=1&amp;status={status}"' in page
            assert text_of(page.split(f'id="tile-{status}"')[1].split("</li>")[0]).endswith(f"{status} {number}")
        assert "tile-deleted" not in page
        words = text_of(page)
        assert "sums batch 1" in words
        assert "user=ana" in words
        assert "2 of 4" in words
        assert 'value="0.5"' in page

    def test_a_deleted_task_is_counted_without_a_link(self, service: Service) -> None:
        create(service, 2)
        service.client.delete("/task/1")
        assert "deleted 1" in text_of(html(service, BATCH))
        assert "status=deleted" not in html(service, BATCH)

    def test_first_failures_link_to_their_tasks(self, service: Service) -> None:
        create(service, 7)
        for number in range(7):
            fail(service, f"boom {number}")
        page = html(service, BATCH)
        assert re.findall(r'<tr id="failure-(\d+)"', page) == ["1", "2", "3", "4", "5"]
        assert '<a href="/dashboard/task/5">' in page
        assert "boom 4" in page
        assert "boom 5" not in page
        assert "All 7 failed tasks" in text_of(page)

    def test_the_follower_is_linked_with_its_status(self, service: Service) -> None:
        create(service, 1, then={})
        page = html(service, BATCH)
        assert '<a href="/dashboard/task/2">task 2</a>' in page
        assert "Then task 2 waiting" in text_of(page)
        service.client.delete("/task/2")
        assert "Then task 2 , which is gone" in text_of(html(service, BATCH))

    def test_the_page_of_a_task_links_to_its_batch(self, service: Service) -> None:
        create(service, 1)
        assert f'<dt>Batch</dt><dd><a href="{BATCH}">1</a>' in html(service, "/dashboard/task/1")

    def test_the_page_follows_its_batch(self, service: Service) -> None:
        create(service, 1)
        answer = service.client.get(BATCH, headers={"Accept": "text/event-stream"})
        events = iter(answer.response)
        next(events)
        assert b'id="tile-failed"' in next(events)
        answer.close()

    @pytest.mark.parametrize("id", ["1", "x"])
    def test_an_unknown_batch_is_told(self, service: Service, id: str) -> None:
        answer = service.client.get(f"/dashboard/batch/{id}")
        assert (answer.status_code, f"batch id {id} is not registered" in answer.text) == (404, True)
        stream = service.client.get(f"/dashboard/batch/{id}", headers={"Accept": "text/event-stream"})
        events = iter(stream.response)
        next(events)
        assert b"This batch is gone" in next(events)
        stream.close()

    def test_hostile_texts_are_escaped(self, service: Service) -> None:
        create(service, 1, name=HOSTILE, labels={"x": HOSTILE})
        fail(service, HOSTILE)
        for path in (LIST, BATCH):
            seen = re.sub(r"<title>.*?</title>", "", html(service, path))
            assert "<script>alert" not in seen
            assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in re.sub(r"<[^>]*>", "", seen)


class TestActions:
    def test_an_open_batch_is_closed(self, service: Service) -> None:
        create(service, open=True)
        page = html(service, BATCH)
        assert "It is open" in text_of(page)
        answer = press(service, page, "Close")
        assert (answer.status_code, answer.headers["Location"]) == (303, BATCH)
        page = html(service, BATCH)
        assert f"{BATCH}/close" not in page
        assert "Finished" in text_of(page)

    def test_a_batch_is_cancelled_and_closed_behind_a_question(self, service: Service) -> None:
        create(service, 3, open=True)
        service.submit({})
        asked = press(service, html(service, BATCH), "Cancel").text
        assert "Cancel 3 tasks?" in asked
        assert "The batch is closed" in text_of(asked)
        assert service.view(1)["status"] == "waiting"
        answer = press(service, asked, "Cancel 3 tasks")
        assert answer.headers["Location"] == BATCH
        assert [service.view(id)["status"] for id in (1, 2, 3, 4)] == ["cancelled"] * 3 + ["waiting"]
        found = service.client.get("/batches/1").get_json()
        assert (found["open"], found["finished"] is not None) == (False, True)

    def test_tasks_that_join_a_batch_after_the_question_are_left_alone(self, service: Service) -> None:
        create(service, 1, open=True)
        asked = press(service, html(service, BATCH), "Cancel").text
        service.client.post("/batches/1/tasks", json=[{}])
        press(service, asked, "Cancel 1 task")
        assert [service.view(id)["status"] for id in (1, 2)] == ["cancelled", "waiting"]

    def test_failed_tasks_of_a_batch_are_retried_behind_a_question(self, service: Service) -> None:
        create(service, 2)
        fail(service)
        service.succeed("1")
        asked = press(service, html(service, BATCH), "Retry").text
        assert "Retry 1 task?" in asked
        press(service, asked, "Retry 1 task")
        assert [service.view(id)["status"] for id in (1, 2)] == ["waiting", "done"]

    def test_actions_that_change_nothing_are_not_offered(self, service: Service) -> None:
        create(service, 1)
        assert "Retry…" not in html(service, BATCH)
        service.succeed("1")
        assert "Cancel…" not in html(service, BATCH)

    @pytest.mark.parametrize("query", ["", "&status=failed&batch=1", "&batch=1&type=add"])
    def test_a_change_of_a_batch_names_it_alone(self, service: Service, query: str) -> None:
        answer = service.client.get(f"/dashboard/tasks/confirm?verb=cancel&scope=batch{query}")
        assert answer.status_code == 422
