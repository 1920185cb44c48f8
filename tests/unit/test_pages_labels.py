"""Labels on the pages: shown, filtered by, filled in, and kept by a task that runs another one again."""

from urllib.parse import urlencode

import pytest
from werkzeug.datastructures import MultiDict

from entrypoints.http.pages.given_filters import given_filters
from tests.unit.http_service import Service

FORM = "/dashboard/submit/default"
LABELS = {"user": "ana", "run": 'a "b"'}


@pytest.fixture
def service() -> Service:
    service = Service()
    service.client.post("/task/new", query_string={f"label.{name}": LABELS[name] for name in LABELS}, json={})
    service.submit({})
    return service


def send(service: Service, **fields: str) -> int:
    data = {"do": "submit", "json": "{}", **fields}
    return service.client.post(FORM, data=urlencode(data), content_type="application/x-www-form-urlencoded").status_code


def test_the_page_of_a_task_links_each_label_to_its_tasks(service: Service) -> None:
    html = service.client.get("/dashboard/task/1").text
    assert 'href="/dashboard/tasks?label.user=ana"><bdi>user=ana</bdi>' in html
    assert "Labels" not in service.client.get("/dashboard/task/2").text


@pytest.mark.parametrize("query", ["label.user=ana", "labels=user%3Dana", "labels=run%3D%22a+%5C%22b%5C%22%22"])
def test_the_list_has_the_tasks_with_the_label(service: Service, query: str) -> None:
    html = service.client.get(f"/dashboard/tasks?{query}").text
    assert 'id="task-1"' in html
    assert 'id="task-2"' not in html


@pytest.mark.parametrize("typed", [r'"\ud800"=x', r'user="\ud800"'])
@pytest.mark.parametrize("field", ["labels", "arguments"])
def test_a_filter_with_a_lone_surrogate_is_refused(service: Service, field: str, typed: str) -> None:
    answer = service.client.get("/dashboard/tasks", query_string={field: typed})
    assert (answer.status_code, "Must be names with values" in answer.text) == (422, True)


def test_labels_that_are_written_into_the_field_are_read_from_it() -> None:
    written = given_filters(MultiDict({f"label.{name}": value for name, value in LABELS.items()})).fields["labels"]
    again = given_filters(MultiDict({"labels": written}))
    assert again.loaded["label"] == LABELS
    assert again.named == [("Label user", "ana"), ("Label run", 'a "b"')]


def test_the_form_gives_a_task_the_labels_that_were_typed(service: Service) -> None:
    assert send(service, **{"o.labels": 'user=bob  run="a b"'}) == 303
    assert service.view(3)["labels"] == {"user": "bob", "run": "a b"}


@pytest.mark.parametrize("typed", ["user", "user=", "a b=c", "é=x", f"user={'x' * 201}", r'user="\ud800"'])
def test_a_form_with_wrong_labels_is_shown_again(service: Service, typed: str) -> None:
    expected = 303 if typed == "user=" else 422
    assert send(service, **{"o.labels": typed}) == expected


def test_a_task_that_is_run_again_keeps_its_labels(service: Service) -> None:
    service.client.post("/dashboard/task/1/again", content_type="application/x-www-form-urlencoded")
    assert service.view(3)["labels"] == LABELS
    assert "user=ana run=&#34;a \\&#34;b\\&#34;&#34;" in service.client.get(f"{FORM}?from=1").text


def test_the_code_of_the_form_has_the_labels(service: Service) -> None:
    html = service.client.post(
        FORM,
        data=urlencode({"do": "code", "json": "{}", "o.labels": "user=ana"}),
        content_type="application/x-www-form-urlencoded",
    ).text
    assert "?label.user=ana" in html
    assert "labels={&#34;user&#34;: &#34;ana&#34;}" in html
