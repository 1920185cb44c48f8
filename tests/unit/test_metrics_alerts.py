"""The alert rules and the dashboard: they ask for nothing that is not exported, and each alert fires when it should."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import pytest
import yaml  # type: ignore[import-untyped]

from application.ports.monitoring import JanitorRecord
from domain.delivery import DeliveryState
from domain.ids import HandlerId, JanitorId
from entrypoints.metrics.catalogue import CATALOGUE, PREFIX, Kind
from entrypoints.metrics.exposition import rendered
from entrypoints.metrics.samples import of_callbacks, of_process
from tests import steps
from tests.conftest import ROOT
from tests.promql import Scrape, evaluate, grouped_labels, scrape, selectors
from tests.unit.http_service import Service

RULES = yaml.safe_load((ROOT / "deploy/alerts.yml").read_text())["groups"][0]["rules"]
ALERTS = {rule["alert"]: rule["expr"] for rule in RULES}
DASHBOARD = json.loads((ROOT / "deploy/grafana-dashboard.json").read_text())
OF_TARGETS = {"job", "instance"}
SUFFIXES = {Kind.HISTOGRAM: ("_bucket", "_count", "_sum")}
Scenario = Callable[["World"], None]


class World:
    """A service that is scraped each minute: its API, and a process that sends callbacks."""

    def __init__(self) -> None:
        self.service = Service()
        self.attempts = dict.fromkeys(DeliveryState, 0)
        self.clock_is_off = 0.0
        self.has_janitor = True
        self.scrapes: list[Scrape] = []
        self.service.publish("add")
        self.minute()

    def minute(self) -> None:
        """Scrape all processes, and let a minute pass."""
        self.service.clock.move(60)
        if self.has_janitor:
            self._renew_janitor()
        at = 60.0 * len(self.scrapes)
        self.scrapes.append(scrape(at, self.service.client.get("/metrics").text, job="tasks", instance="api"))
        self.scrapes.append(scrape(at, rendered(self._of_janitor()).decode(), job="tasks", instance="janitor"))

    def _of_janitor(self) -> dict:
        now = self.service.clock.now()
        offset = of_process(now, True)["clock_offset_seconds"][()]
        assert isinstance(offset, float)
        process = of_process(now + timedelta(seconds=offset - self.clock_is_off), not self.service.away)
        return {**process, **of_callbacks(self.attempts)}

    def _renew_janitor(self) -> None:
        now = self.service.clock.now()
        with self.service.store.begin() as work:
            work.monitoring.renew_janitor(
                JanitorRecord(id=JanitorId("one"), host="one", pid=1, started=now, last_seen=now)
            )
            work.commit()

    def firing(self) -> set[str]:
        return {alert for alert, expression in ALERTS.items() if _is_true(alert, expression, self.scrapes)}


def _is_true(alert: str, expression: str, scrapes: Sequence[Scrape]) -> bool:
    found = evaluate(expression, scrapes)
    # A test holds the clock of the API, which is off therefore.
    return any(("instance", "api") not in key for key in found) if alert == "FlaskTasksClockOff" else bool(found)


def flow(world: World) -> None:
    """Tasks come and are done."""
    for _ in range(4):
        for _ in range(10):
            world.service.submit({}, "/task/new/add")
            world.service.succeed("1", "add")
        world.minute()


def wait_long(world: World) -> None:
    world.service.submit({}, "/task/new/add")
    for _ in range(6):
        world.minute()


def lose_the_handler(world: World) -> None:
    world.service.submit({}, "/task/new/add")
    world.service.withdraw("add")
    world.minute()


def fail_some(world: World) -> None:
    for _ in range(4):
        world.service.submit({}, "/task/new/add")
        world.service.fail("add")
        world.minute()


def lose_a_task(world: World) -> None:
    world.service.submit({}, "/task/new/add")
    lost = world.service.claim("add")
    assert lost.lease
    world.minute()
    steps.take_back(world.service.storage, HandlerId(lost.lease.handler), world.service.clock.now())
    world.service.succeed("1", "add")
    world.minute()


def silence_the_janitor(world: World) -> None:
    world.has_janitor = False
    world.minute()


def give_callbacks_up(world: World) -> None:
    world.attempts[DeliveryState.GIVEN_UP] += 1
    world.minute()


def set_the_clock(world: World) -> None:
    world.clock_is_off = -3
    world.minute()


def take_the_database_away(world: World) -> None:
    world.service.away = True
    world.minute()


FIRED_BY: dict[str, Scenario] = {
    "FlaskTasksOverdue": wait_long,
    "FlaskTasksNoHandler": lose_the_handler,
    "FlaskTasksFailures": fail_some,
    "FlaskTasksLosses": lose_a_task,
    "FlaskTasksNoJanitor": silence_the_janitor,
    "FlaskTasksCallbacksGivenUp": give_callbacks_up,
    "FlaskTasksClockOff": set_the_clock,
    "FlaskTasksDatabaseAway": take_the_database_away,
}


def test_no_alert_fires_while_all_is_well():
    world = World()
    flow(world)
    assert world.firing() == set()


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_fires_alone_in_its_situation(alert: str):
    world = World()
    flow(world)
    FIRED_BY[alert](world)
    assert world.firing() == {alert}


def test_every_alert_has_a_row_of_the_page():
    rows = re.findall(r"^\| `(FlaskTasks\w+)` \|", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE)
    assert rows == list(ALERTS)
    assert set(ALERTS) == set(FIRED_BY)


def dashboard_expressions() -> Iterator[str]:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "5m")


@pytest.mark.parametrize("expression", [*ALERTS.values(), *dashboard_expressions()])
def test_alerts_and_dashboard_ask_for_what_is_exported(expression: str):
    exported = {
        PREFIX + metric.name + suffix: (metric, suffix)
        for metric in CATALOGUE.values()
        for suffix in SUFFIXES.get(metric.kind, ("",))
    }
    labels: set[str] = set()
    for selector, function in selectors(expression):
        metric, suffix = exported[selector.name]
        of_metric = {*metric.labels, *OF_TARGETS} | ({"le"} if suffix == "_bucket" else set())
        assert {each.name for each in selector.matchers.matchers} <= of_metric
        assert (function in ("rate", "increase")) == (metric.kind is not Kind.GAUGE)
        labels |= of_metric
    assert grouped_labels(expression) <= labels


def test_every_metric_is_on_the_dashboard_or_in_an_alert():
    asked = {
        selector.name
        for expression in [*ALERTS.values(), *dashboard_expressions()]
        for selector, _ in selectors(expression)
    }
    for metric in CATALOGUE.values():
        assert any(each.startswith(PREFIX + metric.name) for each in asked), metric.name
