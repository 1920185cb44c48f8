"""The overview: whether work flows, at a glance."""

from collections.abc import Mapping
from typing import Any

from application.ports.listing import Counts
from application.ports.monitoring import Liveness
from application.use_cases.find_problems import find_problems
from application.use_cases.list_handlers import Processes
from domain.event import Event
from domain.status import Status
from entrypoints.http.access.needs import READ, READ_ALL
from entrypoints.http.pages.blueprint import Pages
from entrypoints.http.pages.charts import Charts, changes
from entrypoints.http.pages.periods import view_period
from entrypoints.http.pages.type_rows import failing_first, type_rows
from entrypoints.http.services import Services

MAX_TYPES = 20
MAX_HANDLERS = 8
"""Numbers of types and of handlers that are shown; those that fail most, and those that live, come first."""


def add_overview(pages: Pages, services: Services) -> None:
    """Add the page."""
    view_situation, view_statistics = services.view_situation(), services.view_statistics()

    @pages.redirect("", READ)
    def lead_to_overview() -> str:
        return pages.addresses()

    @pages.page("", "overview.html", READ_ALL)
    def overview() -> dict[str, Any]:
        situation = view_situation()
        period = view_period(view_statistics, situation.now)
        rows = failing_first(type_rows(situation, period))
        return {
            "period": period.name,
            "problems": find_problems(situation),
            "ended": {status: period.number(Event(status)) for status in Status if status.is_final},
            "totals": _totals(situation.counts),
            "oldest_due": min(situation.oldest_due.values(), default=None),
            "charts": Charts(period.over.period, period.over.total, changes(situation.types.values())),
            "rows": rows[:MAX_TYPES],
            "left_out_types": len(rows[MAX_TYPES:]),
            "handlers": situation.processes.handlers[:MAX_HANDLERS],
            "left_out_handlers": len(situation.processes.handlers[MAX_HANDLERS:]),
            "children": _children(situation.processes),
        }


def _totals(counts: Counts) -> Mapping[Status, int]:
    return {status: sum(of_type.get(status, 0) for of_type in counts.values()) for status in Status}


def _children(processes: Processes) -> tuple[int, int, int]:
    """The number of live handlers, of their children that run a task, and of those that are idle."""
    live = [each for each in processes.handlers if each.state is Liveness.LIVE]
    return len(live), sum(each.held.started for each in live), sum(each.idle or 0 for each in live)
