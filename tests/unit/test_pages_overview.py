"""The overview: flow, problems, what waits, what fails and what runs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from application.use_cases.view_statistics import Period
from domain.event import Event
from domain.ids import TypeName
from domain.task_type import TaskType
from entrypoints.http.pages.charts import Charts, no_events
from entrypoints.http.pages.overview import MAX_HANDLERS, MAX_TYPES
from entrypoints.http.pages.sparkline import BARS, sparkline
from tests.unit.http_service import Service
from tests.unit.pages_service import (
    add,
    claim,
    html,
    part,
    plot,
    publish,
    ran,
    renew_janitor,
    service_with_events,
    shown,
    text_of,
)

NOON = datetime(2026, 3, 4, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def service() -> Service:
    """A service in which all is well."""
    service = service_with_events(NOON)
    renew_janitor(service)
    publish(service, "a-handler", "add", "sub")
    return service


def pass_time(service: Service, time: timedelta) -> None:
    service.clock.move(time.total_seconds())
    renew_janitor(service)


def values(page: str, id: str) -> dict[str, list[float | None]]:
    return {each["name"]: each["values"] for each in plot(page, id)["series"]}


class TestEmptyService:
    @pytest.mark.parametrize(
        ("backend_url", "address"), [(None, "http://localhost"), ("https://x.example/a/", "https://x.example/a")]
    )
    def test_it_says_how_to_submit_the_first_task_at_its_own_address(self, backend_url: str | None, address: str):
        page = shown(service_with_events(NOON, backend_url=backend_url), "/")
        assert f"curl -X POST {address}/task/new -H 'Content-Type: application/json'" in page
        assert "There are no tasks yet" in page

    def test_it_has_no_chart(self, service: Service):
        assert "<figure" not in html(service, "/")


class TestCharts:
    def test_the_flow_has_the_steps_that_are_over(self, service: Service):
        ran(service)
        ran(service, fails=True)
        pass_time(service, MINUTE)
        ran(service)
        page = html(service, "/")
        flow = values(page, "flow")
        assert {name: len(numbers) for name, numbers in flow.items()} == dict.fromkeys(flow, 60)
        assert {name: numbers[-1] for name, numbers in flow.items()} == {
            "failed": 1,
            "cancelled": 0,
            "done": 1,
            "submitted": 2,
        }
        assert plot(page, "flow")["x"]["values"][-1] == NOON.replace(second=0).timestamp()
        assert "In the last minute 2 submitted, 1 done, 1 failed, 0 cancelled." in text_of(part(page, "flow-now"))

    def test_a_step_of_which_events_may_still_be_stored_is_not_over(self, service: Service):
        ran(service)
        service.clock.set(NOON.replace(second=0) + MINUTE + timedelta(seconds=0.5))
        assert values(html(service, "/"), "flow")["done"][-1] == 0

    def test_the_durations_are_medians_and_percentiles(self, service: Service):
        ran(service, took=10)
        pass_time(service, MINUTE)
        page = html(service, "/")
        assert values(page, "run")["median"][-1] == pytest.approx(10, rel=0.2)
        assert values(page, "wait")["99th percentile"][-1] == pytest.approx(1, rel=0.2)
        assert values(page, "wait")["median"][-2] is None
        assert "Tasks that ended in the last minute ran" in text_of(part(page, "run-now"))

    def test_a_minute_without_an_end_says_so(self, service: Service):
        add(service)
        assert "No task ended in the last minute." in shown(service, "/")

    def test_the_address_says_that_a_day_is_shown(self, service: Service):
        for _ in range(30):
            ran(service)
        pass_time(service, MINUTE * 15)
        page = html(service, "/?period=day")
        assert len(plot(page, "flow")["x"]["values"]) == 96
        assert values(page, "flow")["done"][-1] == 2
        assert "In the last 15 minutes 30 submitted" in text_of(page)
        assert '<a href="/?period=day" aria-current="true">Last day</a>' in page
        assert 'hx-sse:connect="/?period=day"' in page

    def test_an_unknown_period_is_the_hour(self, service: Service):
        add(service)
        assert '<a href="/" aria-current="true">Last hour</a>' in html(service, "/?period=<b>")

    def test_the_numbers_stand_in_a_table(self, service: Service):
        ran(service)
        pass_time(service, MINUTE)
        page = shown(service, "/")
        assert "2026-03-04 12:00:00 UTC 1 1 0 0" in page[page.index("The charts' numbers") :]

    def test_a_changed_schema_is_marked(self, service: Service):
        ran(service)
        publish(service, "a-handler", TaskType(name=TypeName("add"), schema="{}"), "sub")
        changed = int(service.clock.now().timestamp())
        pass_time(service, MINUTE)
        page = html(service, "/")
        for chart in ("flow", "wait", "run"):
            assert plot(page, chart)["marks"] == [{"x": changed, "name": "add"}]
        assert "The schema of add changed at 2026-03-04 12:00:30 UTC" in text_of(page)
        service.clock.move(3600)
        add(service)
        assert "The schema of" not in shown(service, "/")

    def test_the_values_have_four_digits(self):
        period = Period(NOON - MINUTE * 15, NOON, MINUTE * 15)
        series = no_events(period)
        charts = Charts(period, replace(series, counts={**series.counts, Event.DONE: [10]}), {})
        assert charts.flow.series[2].values == [0.6667]


class TestTypes:
    def test_those_that_fail_most_come_first_with_their_failure_rate(self, service: Service):
        ran(service, "add")
        ran(service, "sub")
        ran(service, "sub", fails=True)
        page = html(service, "/")
        assert page.index('id="type-sub"') < page.index('id="type-add"')
        assert "50 %" in text_of(part(page, "type-sub"))
        assert "0 %" in text_of(part(page, "type-add"))

    def test_a_task_that_failed_before_the_period_is_in_no_rate(self, service: Service):
        ran(service, fails=True)
        service.clock.move(2 * 3600)
        page = html(service, "/")
        assert "%" not in text_of(part(page, "type-add"))
        assert "failed 1 0 in the last hour" in text_of(part(page, "tile-failed"))

    def test_what_waits_has_the_time_since_which_the_oldest_is_due(self, service: Service):
        add(service, "sub", number=3)
        page = html(service, "/")
        for id in ("type-sub", "tile-waiting"):
            assert 'datetime="2026-03-04T12:00:30.000Z" title="2026-03-04 12:00:30.000 UTC" data-age' in part(page, id)

    def test_a_type_that_no_handler_has_says_so(self, service: Service):
        ran(service, "gone")
        assert "no handler" in text_of(part(html(service, "/"), "type-gone"))

    def test_so_many_are_shown(self, service: Service):
        for number in range(MAX_TYPES + 3):
            add(service, f"type-{number:02}")
        page = html(service, "/")
        assert page.count('<tr id="type-') == MAX_TYPES
        assert '<a href="/dashboard/types">3 more types</a>' in page

    def test_a_name_is_text(self, service: Service):
        hostile = '<script>alert("1")</script>\u202e'
        publish(service, "b-handler", TaskType(name=TypeName(hostile), schema="1"))
        publish(service, "b-handler", TaskType(name=TypeName(hostile), schema="2"))
        ran(service, hostile)
        page = html(service, "/")
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;" in page
        assert plot(page, "flow")["marks"][0]["name"] == hostile


class TestProblems:
    def test_a_service_that_works_says_so(self, service: Service):
        add(service)
        claim(service, "a-handler")
        page = shown(service, "/")
        assert "No problem is seen. 1 handler lives; 1 of 2 children run a task." in page

    def test_a_service_without_processes_says_what_to_start(self):
        service = service_with_events(NOON)
        add(service, number=2)
        page = shown(service, "/")
        assert "No handler takes tasks, and 2 wait." in page
        assert "python -m entrypoints.handler" in page
        assert "No janitor lives." in page
        assert "python -m entrypoints.janitor" in page

    def test_a_type_that_no_live_handler_has_is_named(self, service: Service):
        add(service, "<gone>", number=2)
        page = html(service, "/")
        assert "No live handler has &lt;gone&gt;." in page
        assert '<a href="/dashboard/tasks?type=%3Cgone%3E&amp;status=waiting">2 of &lt;gone&gt;</a>' in page

    def test_an_overdue_type_is_named(self, service: Service):
        add(service)
        pass_time(service, MINUTE * 2)
        assert "Due tasks wait beside idle children: add since 12:00:30 UTC" in shown(service, "/")

    def test_silent_processes_are_named(self, service: Service):
        publish(service, "b-handler", "add", seconds=1)
        renew_janitor(service, "b-janitor")
        add(service)
        claim(service, "b-handler")
        pass_time(service, MINUTE)
        page = shown(service, "/")
        assert "A handler is silent: b-handler since 12:00:01 UTC" in page
        assert "which holds 1 task." in page
        assert "A janitor is silent: b-janitor since 12:00:30 UTC" in page


class TestHandlers:
    def test_they_show_what_their_children_run(self, service: Service):
        add(service, number=2)
        claim(service, "a-handler")
        shown_part = part(html(service, "/"), "handler-a-handler")
        assert "●" in shown_part
        assert "○" in shown_part
        assert "1 busy, 1 idle" in text_of(html(service, "/"))
        assert '<a href="/dashboard/task/1">add' in html(service, "/")

    def test_many_children_have_no_dots(self, service: Service):
        publish(service, "b-handler", "add", concurrency=1000)
        assert html(service, "/").count("○") == 2

    def test_so_many_are_shown(self, service: Service):
        for number in range(MAX_HANDLERS + 2):
            publish(service, f"handler-{number}", "add")
        assert "3 more handlers" in shown(service, "/")


class TestLiveRegion:
    def test_it_changes_only_where_something_has_changed(self, service: Service):
        add(service, number=2)
        claim(service, "a-handler")

        def region() -> bytes:
            service.clock.move(1)
            with service.client.get("/", headers={"Accept": "text/event-stream"}, buffered=False) as answer:
                events = iter(answer.response)
                next(events)
                return bytes(next(events))  # type: ignore[arg-type]

        first = region()
        assert region() == first
        ran(service)
        assert region() != first


class TestSparkline:
    def test_it_has_a_bar_for_each_step_that_is_not_empty(self):
        drawn = sparkline([0, 2, 1], [0, 0, 1], "3 done, 1 failed")
        assert drawn.count("M") == 3
        assert 'aria-label="3 done, 1 failed"' in drawn

    def test_many_steps_share_bars(self):
        assert sparkline([1] * 100, [0] * 100, "").count("M") <= BARS

    def test_one_failure_among_many_is_seen(self):
        assert 'class="failed" fill="currentColor" d="M0 0h2v1' in sparkline([10_000], [1], "")

    def test_its_label_is_text(self):
        assert "<b>" not in sparkline([1], [1], "<b>")
