"""GET /metrics: the numbers of the database and of the process, by few labels, whatever the database does."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from threading import Event as Flag
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.clocks import ManualClock
from application.supervisor.tally import Tally
from application.use_cases.measure import MAX_TYPES
from domain.delivery import DeliveryState
from domain.failure import Failure
from domain.ids import HandlerId, TypeName
from domain.task_type import TaskType
from entrypoints.http.limits.concurrency import ConcurrencyLimit
from entrypoints.http.responses.counting import ROW_CELLS
from entrypoints.metrics.catalogue import ALL, CATALOGUE, PREFIX, Process
from entrypoints.metrics.exporter import Exporter, MeasuringExporter
from entrypoints.metrics.exposition import rendered
from entrypoints.metrics.request_counts import CELLS
from entrypoints.metrics.samples import of_callbacks, of_process, of_supervisor
from entrypoints.version import VERSION
from tests import steps
from tests.conftest import ROOT
from tests.promql import scrape
from tests.unit.http_service import Service

PAGE = (ROOT / "docs/metrics.md").read_text()
OLD_SECONDS = 6.0


@pytest.fixture
def service() -> Service:
    return Service()


def text(service: Service) -> str:
    """The export, with everything read anew."""
    service.clock.move(OLD_SECONDS)
    answer = service.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    return answer.text


def value(service: Service, name: str, **labels: str) -> float:
    found = scrape(0, text(service)).samples
    return found[frozenset({"__name__": PREFIX + name, **labels}.items())]


def series(exported: str) -> set[frozenset[tuple[str, str]]]:
    return set(scrape(0, exported).samples)


class TestTypes:
    def test_tasks_are_counted_by_type_and_status(self, service: Service):
        service.publish("add")
        service.submit({}, "/task/new/add")
        service.submit({}, "/task/new/add")
        service.claim("add")
        assert value(service, "tasks", type="add", status="waiting") == 1
        assert value(service, "tasks", type="add", status="running") == 1
        assert value(service, "tasks", type="add", status="done") == 0

    def test_events_are_counted_by_type(self, service: Service):
        service.publish("add", max_attempts=2)
        service.submit({}, "/task/new/add")
        steps.fail(service.storage, service.claim("add"), service.clock.now(), Failure("E", "e"))
        service.clock.move(3600)
        service.succeed("1", "add")
        assert value(service, "submissions_total", type="add") == 1
        assert value(service, "starts_total", type="add") == 2
        assert value(service, "retries_total", type="add") == 1
        assert value(service, "losses_total", type="add") == 0
        assert value(service, "outcomes_total", type="add", outcome="done") == 1
        assert value(service, "outcomes_total", type="add", outcome="failed") == 0

    def test_durations_are_histograms(self, service: Service):
        service.publish("add")
        service.submit({}, "/task/new/add")
        service.clock.move(4.5)
        claimed = service.claim("add")
        service.clock.move(100)
        steps.succeed(service.storage, claimed, service.clock.now())
        for name, below, above, seconds in (("wait", "4.0", "8.0", 4.5), ("run", "64.0", "128.0", 100)):
            assert value(service, f"{name}_seconds_bucket", type="add", le=below) == 0
            assert value(service, f"{name}_seconds_bucket", type="add", le=above) == 1
            assert value(service, f"{name}_seconds_bucket", type="add", le="+Inf") == 1
            assert value(service, f"{name}_seconds_count", type="add") == 1
            assert value(service, f"{name}_seconds_sum", type="add") == pytest.approx(seconds, rel=0.1)

    def test_the_oldest_due_task_has_an_age(self, service: Service):
        service.publish("add")
        assert value(service, "oldest_due_age_seconds", type="add") == 0
        service.submit({}, "/task/new/add")
        service.clock.move(100)
        assert value(service, "oldest_due_age_seconds", type="add") == pytest.approx(100 + OLD_SECONDS)

    def test_waiting_tasks_without_a_live_handler_are_unhandled(self, service: Service):
        service.publish("add")
        service.submit({}, "/task/new/add")
        assert value(service, "unhandled_tasks", type="add") == 0
        service.withdraw("add")
        assert value(service, "unhandled_tasks", type="add") == 1

    def test_beyond_a_hundred_types_the_less_used_ones_are_other(self, service: Service):
        names = [TypeName(f"type-{n}") for n in range(MAX_TYPES + 20)]
        steps.add(service.storage, *(steps.submission(name) for name in names))
        steps.add(service.storage, *(steps.submission(name) for name in names[20:]))
        assert value(service, "submissions_total", type="other") == 20
        assert value(service, "tasks", type="other", status="waiting") == 20
        assert value(service, "unhandled_tasks", type="other") == 20
        types = {dict(each).get("type") for each in series(text(service))} - {None}
        assert types == {*names[20:], "other"}

    def test_a_type_that_is_named_other_is_among_the_others(self, service: Service):
        steps.add(service.storage, steps.submission("other"), steps.submission("add"))
        assert value(service, "submissions_total", type="other") == 1

    def test_any_name_of_a_type_is_a_label(self, service: Service):
        name = 'a "b"\\\nc é'
        steps.add(service.storage, steps.submission(name))
        assert value(service, "submissions_total", type=name) == 1


def start_handlers(service: Service, numbers: Iterator[int]) -> None:
    """Start handlers one after the other, each of which runs a task and ends."""
    type = TaskType(name=TypeName("add"))
    store = service.store
    for number in numbers:
        with store.begin() as work:
            until = service.clock.now() + timedelta(seconds=30)
            work.types.publish(HandlerId(f"handler-{number}"), [type], until)
            if number % 1000 == 0:
                work.commit()
        if number % 1000 == 0:
            steps.add(service.storage, steps.submission("add"))
            running = steps.claim_one(
                service.storage, handler=f"handler-{number}", wanted={"add": 1}, now=service.clock.now()
            )
            steps.succeed(service.storage, running, service.clock.now())
        if number % 2:
            with store.begin() as work:
                work.types.withdraw(HandlerId(f"handler-{number}"))
                work.commit()


def test_ten_thousand_starts_of_handlers_add_no_series(service: Service):
    start_handlers(service, iter(range(1)))
    text(service)
    before = series(text(service))
    start_handlers(service, iter(range(1, 10_001)))
    assert series(text(service)) == before


class TestProcesses:
    def test_handlers_and_janitors_are_counted_by_state(self, service: Service):
        service.publish("add")
        assert value(service, "handlers", status="live") == 1
        assert value(service, "janitors", status="live") == 0
        service.clock.move(7200)
        assert value(service, "handlers", status="live") == 0
        assert value(service, "handlers", status="silent") == 1

    def test_the_versions_are_known(self, service: Service):
        assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text()
        assert f'version="{VERSION}"' in text(service)

    def test_a_handler_exports_what_it_counted(self):
        tally = Tally()
        tally.record_claim(7)
        tally.late += 1
        found = scrape(0, rendered(of_supervisor(tally)).decode()).samples

        def of(name: str, **labels: str) -> float:
            return found[frozenset({"__name__": PREFIX + name, **labels}.items())]

        assert (of("claim_batch_tasks_bucket", le="5.0"), of("claim_batch_tasks_bucket", le="10.0")) == (0, 1)
        assert of("claim_batch_tasks_sum") == 7
        assert of("refused_outcomes_total", outcome="late") == 1
        assert of("refused_outcomes_total", outcome="unstorable") == 0


class TestRequests:
    def test_requests_are_counted_by_route_and_code(self, service: Service):
        id = service.submit({})["id"]
        service.view(id)
        service.view(id)
        service.client.get("/task/99/view")
        service.client.get("/nothing/here")
        service.client.get("/another")
        service.client.delete("/ping")
        assert value(service, "http_requests_total", route="/task/{id}/view", code="200") == 2
        assert value(service, "http_requests_total", route="/task/{id}/view", code="404") == 1
        assert value(service, "http_requests_total", route="none", code="404") == 2
        assert value(service, "http_requests_total", route="none", code="405") == 1

    def test_an_answer_of_503_is_counted(self, service: Service):
        service.away = True
        assert service.client.get("/task/1/view").status_code == 503
        service.away = False
        assert value(service, "http_requests_total", route="/task/{id}/view", code="503") == 1

    def test_all_routes_have_cells(self, service: Service):
        rules = {rule.rule for rule in service.client.application.url_map.iter_rules()}
        assert (len(rules) + 1) * ROW_CELLS <= CELLS


class TestAway:
    def test_without_the_database_the_process_exports_what_it_knows(self, service: Service):
        assert value(service, "database_up") == 1
        service.away = True
        exported = text(service)
        assert "flask_tasks_database_up 0.0" in exported
        assert "flask_tasks_http_requests_total{" in exported
        assert "flask_tasks_tasks{" not in exported
        service.away = False
        assert value(service, "database_up") == 1

    def test_a_database_that_hangs_is_waited_for_no_longer_than_a_moment(self, monkeypatch: pytest.MonkeyPatch):
        goes_on = Flag()
        service = Service()

        def hang() -> Any:
            assert goes_on.wait(20)
            return service.store.begin()

        service.publish("add")
        export = MeasuringExporter(hang, service.clock, service.container.measure())
        monkeypatch.setattr(export._is_up, "_patience", 0.01)
        try:
            exported = export({}).decode()
        finally:
            goes_on.set()
        assert "flask_tasks_database_up 0.0" in exported
        assert "flask_tasks_build_info{" in exported
        assert "flask_tasks_tasks{" not in exported

    def test_it_is_answered_while_all_slots_are_taken(self):
        limit = ConcurrencyLimit(lambda environ, _: environ["PATH_INFO"], 1)
        limit._free.get()
        assert limit({"PATH_INFO": "/metrics"}, None) == "/metrics"

    def test_the_database_is_read_every_five_seconds(self, service: Service, monkeypatch: pytest.MonkeyPatch):
        text(service)
        begun = 0
        begin = service.store.begin

        def counted() -> Any:
            nonlocal begun
            begun += 1
            return begin()

        monkeypatch.setattr(service.store, "begin", counted)
        for _ in range(9):
            service.client.get("/metrics")
            service.clock.move(1)
        # A ping and a reading, and every two seconds a look whether there are API keys.
        assert begun == 2 + 4


class TestCatalogue:
    @pytest.fixture
    def exports(self, service: Service) -> dict[Process, str]:
        service.publish("add")
        exporter = Exporter(lambda: None, ManualClock())
        text(service)
        return {
            Process.API: text(service),
            Process.HANDLER: exporter(of_supervisor(Tally())).decode(),
            Process.JANITOR: exporter(of_callbacks(Counter({DeliveryState.DELIVERED: 1}))).decode(),
        }

    def test_each_process_exports_its_metrics_with_their_kinds_and_labels(self, exports: dict[Process, str]):
        for process in ALL:
            expected = {PREFIX + metric.name for metric in CATALOGUE.values() if process in metric.processes}
            families = list(text_string_to_metric_families(exports[process]))
            names = {family.name + ("_total" if family.type == "counter" else "") for family in families}
            assert names == expected
            for family in families:
                name = family.name.removeprefix(PREFIX) + ("_total" if family.type == "counter" else "")
                metric = CATALOGUE[name]
                assert (family.type, family.documentation) == (metric.kind, metric.meaning)
                labels = {label for sample in family.samples for label in sample.labels} - {"le"}
                assert labels == set(metric.labels), name

    def test_labels_are_of_the_few_names(self):
        labels = {label for metric in CATALOGUE.values() for label in metric.labels if metric.name != "build_info"}
        assert labels == {"type", "status", "outcome", "route", "code"}

    def test_the_page_has_a_table_of_all_metrics(self):
        rows = re.findall(r"^\| `flask_tasks_(\w+)` \| (\w+) \| (.*?) \| (.*?) \| (.*) \|$", PAGE, re.MULTILINE)
        assert rows == [
            (
                metric.name,
                metric.kind,
                ", ".join(f"`{label}`" for label in metric.labels),
                "all" if metric.processes == ALL else ", ".join(metric.processes),
                metric.meaning,
            )
            for metric in CATALOGUE.values()
        ]


def test_the_offset_of_the_clock_is_that_of_the_machine():
    now = ManualClock().now()
    (first,), (second,) = (
        of_process(now - timedelta(seconds=s), True)["clock_offset_seconds"].values() for s in (0, 5)
    )
    assert isinstance(first, float)
    assert isinstance(second, float)
    assert second - first == pytest.approx(5, abs=1)
