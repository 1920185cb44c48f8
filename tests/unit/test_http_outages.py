"""What is wrong, in answers and on pages: the same sentences, with what mends it."""

import pytest

from application.errors import Outage
from application.outages import FINDINGS
from domain.access import Scope
from tests.unit.http_service import Service
from tests.unit.test_http_api_keys import bearer, create

READ_ONLY = FINDINGS[Outage.READ_ONLY]


@pytest.fixture
def service() -> Service:
    return Service(has_own_app=True)


def test_an_outage_is_told_to_clients_without_its_cure(service: Service):
    service.away, service.outage = True, Outage.READ_ONLY
    answer = service.client.post("/task/new", json={})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.get_json()["message"] == f"{READ_ONLY.found} Try again later."


def test_the_verbose_check_tells_an_outage_and_its_cure(service: Service):
    service.away, service.outage = True, Outage.READ_ONLY
    answer = service.client.get("/health/ready?verbose=1")
    assert answer.status_code == 503
    assert answer.get_json()["errors"] == {"database": {READ_ONLY.found: [READ_ONLY.cure]}}


def test_a_page_shows_an_outage_and_its_cure(service: Service):
    service.away, service.outage = True, Outage.FULL
    page = service.client.get("/dashboard/tasks")
    assert page.status_code == 503
    assert FINDINGS[Outage.FULL].found in page.text
    assert FINDINGS[Outage.FULL].cure in page.text


def test_the_verbose_check_tells_the_problems_of_the_work(service: Service):
    assert service.client.get("/health/ready").get_json() == {"status": "ready"}
    answer = service.client.get("/health/ready?verbose=1").get_json()
    assert answer["status"] == "ready"
    assert answer["problems"][0] == {
        "problem": "No handler claims tasks.",
        "cure": "Start one: python -m entrypoints.handler.",
    }


def test_the_problems_of_the_work_are_told_to_those_who_may_read(service: Service):
    key, other = create(service, Scope.READ), create(service, Scope.SUBMIT)
    assert service.client.get("/health/ready?verbose=1").get_json()["problems"] == []
    assert service.client.get("/health/ready?verbose=1", headers=bearer(other)).get_json()["problems"] == []
    assert service.client.get("/health/ready?verbose=1", headers=bearer(key)).get_json()["problems"]
