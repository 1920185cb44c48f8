"""The overview: whether work flows, at a glance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from application.ports.listing import Counts
from domain.ids import TypeName
from domain.status import Status
from entrypoints.http.pages.blueprint import Pages
from entrypoints.http.services import Services


@dataclass(frozen=True, slots=True)
class TypeRow:
    """One type with the number of its tasks by status, and the `run_at` of its oldest due task."""

    name: TypeName
    counts: dict[Status, int]
    oldest_due: datetime | None


def add_overview(pages: Pages, services: Services) -> None:
    """Add the page."""
    count, find_oldest_due, list_handlers = services.count_tasks(), services.find_oldest_due(), services.list_handlers()

    @pages.page("", "overview.html")
    def overview() -> dict[str, Any]:
        counts = count()
        return {"totals": _totals(counts), "rows": _rows(counts, find_oldest_due()), "processes": list_handlers()}


def _totals(counts: Counts) -> dict[Status, int]:
    return {status: sum(by_status.get(status, 0) for by_status in counts.values()) for status in Status}


def _rows(counts: Counts, oldest_due: Any) -> Sequence[TypeRow]:
    """The types, those with the most failed tasks first."""
    rows = [
        TypeRow(name, {status: of_type.get(status, 0) for status in Status}, oldest_due.get(name))
        for name, of_type in counts.items()
    ]
    return sorted(rows, key=lambda row: (-row.counts[Status.FAILED], row.name))
