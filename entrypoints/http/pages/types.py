"""The pages of types: the functions that can be run, and how each of them does."""

from typing import Any

from application.json.text import dump
from application.ports.argument_checker import ArgumentChecker
from domain.ids import TypeName
from domain.task_type import TaskType
from entrypoints.http.openapi.example import example_of
from entrypoints.http.pages.blueprint import Pages
from entrypoints.http.pages.charts import Charts, changes, no_events
from entrypoints.http.pages.periods import view_period
from entrypoints.http.pages.schema_table import schema_table
from entrypoints.http.pages.type_rows import type_row, type_rows
from entrypoints.http.services import Services


def add_types(pages: Pages, services: Services) -> None:
    """Add the pages."""
    view_situation, view_statistics = services.view_situation(), services.view_statistics()
    known_types, checker = services.known_types(), services.checker()

    @pages.page("/types", "types.html")
    def types() -> dict[str, Any]:
        situation = view_situation()
        period = view_period(view_statistics, situation.now)
        rows = type_rows(situation, period)
        published = [row.published for row in rows if row.published]
        return {
            "period": period.name,
            "rows": rows,
            "published": [(each, schema_table(each.type.schema)) for each in published],
        }

    @pages.page("/type/<name>", "type.html")
    def type(name: str) -> dict[str, Any]:
        situation = view_situation()
        period = view_period(view_statistics, situation.now)
        row = type_row(TypeName(name), situation, period)
        if not row.has_tasks:
            known_types.named(row.name)
        series = period.over.types.get(row.name) or no_events(period.over.period)
        published = [row.published] if row.published else []
        return {
            "period": period.name,
            "row": row,
            "charts": Charts(period.over.period, series, changes(published)),
            "table": schema_table(row.published.type.schema) if row.published else None,
            "example": _example(row.published.type, checker) if row.published else "{}",
        }


def _example(type: TaskType, checker: ArgumentChecker) -> str:
    """The JSON of arguments that the type accepts, or of none, as an argument of a shell."""
    args = example_of(type.schema, lambda value: isinstance(value, dict) and not checker.errors(type.schema, value))
    return dump(args or {}).replace("'", r"'\''")
