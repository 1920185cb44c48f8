"""The page of handlers and janitors."""

from datetime import UTC, datetime, timedelta

import pytest

from application.ports.monitoring import JANITOR_SILENCE
from domain.ids import HandlerId
from tests.unit.http_service import Service
from tests.unit.pages_service import add, claim, html, part, publish, renew_janitor, service_with_events, shown, text_of

NOON = datetime(2026, 3, 4, 12, 0, 30, tzinfo=UTC)
PATH = "/dashboard/handlers"


@pytest.fixture
def service() -> Service:
    """A service with a handler of two children."""
    service = service_with_events(NOON)
    publish(service, "a-handler", "add", "sub")
    return service


def test_a_live_handler_shows_where_it_is_and_since_when(service: Service):
    page = shown(service, PATH)
    assert "a-handler live On a-host , pid 7, since 2026-03-04 12:00:30 UTC" in page
    assert "0 busy, 2 idle" in page
    assert '<a href="/dashboard/type/sub">sub</a>' in html(service, PATH)


def test_each_child_shows_what_it_runs_and_since_when(service: Service):
    add(service)
    claim(service, "a-handler")
    row = part(html(service, PATH), "running-1")
    assert '<a href="/dashboard/task/1">' in row
    assert 'datetime="2026-03-04T12:00:30.000Z" title="2026-03-04 12:00:30.000 UTC" data-age' in row
    assert "1 busy, 1 idle" in shown(service, PATH)


def test_a_handler_that_stops_says_so(service: Service):
    with service.store.begin() as work:
        work.types.renew(HandlerId("a-handler"), NOON + timedelta(days=1), is_draining=True)
        work.commit()
    page = shown(service, PATH)
    assert "a-handler draining" in page
    assert "It stops: it takes nothing more" in page
    assert "No handler takes tasks" in page


def test_a_silent_handler_says_since_when(service: Service):
    publish(service, "b-handler", "add", seconds=30)
    service.clock.move(60)
    page = shown(service, PATH)
    assert "b-handler silent" in page
    assert "Silent since 2026-03-04 12:00:30 UTC" in page


def test_a_handler_without_a_record_says_what_becomes_of_its_tasks(service: Service):
    add(service, number=2)
    claim(service, "gone", number=2)
    assert "It has no record any more, but holds 2 tasks." in shown(service, PATH)


def test_a_service_without_a_handler_says_how_to_start_one():
    page = shown(service_with_events(NOON), PATH)
    assert "No handler takes tasks" in page
    assert "python -m entrypoints.handler" in page
    assert "No janitor lives" in page
    assert "python -m entrypoints.janitor" in page


def test_a_janitor_shows_its_last_sign_of_life(service: Service):
    renew_janitor(service)
    row = part(html(service, PATH), "a-janitor")
    assert "a-janitor live a-host, pid 8" in text_of(row)
    assert 'datetime="2026-03-04T12:00:32.000Z"' not in row
    assert 'datetime="2026-03-04T12:00:30.000Z" title="2026-03-04 12:00:30.000 UTC" data-age' in row
    service.clock.move(JANITOR_SILENCE.total_seconds())
    assert "a-janitor silent" in shown(service, PATH)


def test_names_and_messages_are_text(service: Service):
    hostile = '"><script>alert(1)</script>'
    publish(service, hostile, hostile)
    renew_janitor(service, hostile)
    add(service, hostile)
    claim(service, hostile, hostile)
    page = html(service, PATH)
    assert "<script>alert" not in page
    assert "&#34;&gt;&lt;script&gt;" in page
    assert hostile not in html(service, "/")
