"""The pages of types: the functions that can be run, how each of them does, and the limits that hold it."""

from collections.abc import Mapping
from typing import Any

from application.json.text import dump
from application.ports.argument_checker import ArgumentChecker
from application.ports.published_types import PublishedType
from domain.ids import TypeName
from domain.limits import Override
from domain.task_type import TaskType
from entrypoints.http.access.needs import MANAGE_ALL, READ_ALL
from entrypoints.http.openapi.example import example_of
from entrypoints.http.pages.blueprint import Context, Done, Pages, Shown
from entrypoints.http.pages.charts import Charts, changes, no_events
from entrypoints.http.pages.limits.form import LimitsForm
from entrypoints.http.pages.limits.switches import SWITCHES
from entrypoints.http.pages.limits.words import ShownLimits, in_words, set_by_operator
from entrypoints.http.pages.periods import view_period
from entrypoints.http.pages.schema_table import SchemaTable, result_table, schema_table
from entrypoints.http.pages.type_rows import type_row, type_rows
from entrypoints.http.services import Services

ONE_TYPE = "type.html"
Sent = Mapping[str, str]


def add_types(pages: Pages, services: Services) -> None:
    """Add the pages, and the actions that set limits."""
    _add_list(pages, services)
    page = _TypePage(pages, services)
    pages.page("/type/<name>", ONE_TYPE, READ_ALL)(page.type)
    _add_actions(pages, services, page)


def _add_list(pages: Pages, services: Services) -> None:
    view_situation, view_statistics = services.view_situation(), services.view_statistics()

    @pages.page("/types", "types.html", READ_ALL)
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


class _TypePage:
    """The page of one type."""

    def __init__(self, pages: Pages, services: Services) -> None:
        self._addresses = pages.addresses
        self._view_situation, self._view_statistics = services.view_situation(), services.view_statistics()
        self._known_types, self._checker = services.known_types(), services.checker()

    def type(self, name: str) -> Context:
        """Its context. Raises UnknownType."""
        situation = self._view_situation()
        period = view_period(self._view_statistics, situation.now)
        row = type_row(TypeName(name), situation, period)
        if not row.has_tasks:
            self._known_types.named(row.name)
        series = period.over.types.get(row.name) or no_events(period.over.period)
        published = row.published
        return {
            "period": period.name,
            "row": row,
            "charts": Charts(period.over.period, series, changes([published] if published else [])),
            "table": schema_table(published.type.schema) if published else None,
            "result": _result(published.type) if published else None,
            "example": _example(published.type, self._checker) if published else "{}",
            "limits": ShownLimits(published, situation.now) if published else None,
            "form": LimitsForm.of(published) if published else None,
        }

    def refused(self, name: str, form: LimitsForm) -> Shown:
        """The page with a form that has mistakes."""
        here = self._addresses("type", name)
        return Shown(ONE_TYPE, {**self.type(name), "form": form, "here": here}, 422)


def _add_actions(pages: Pages, services: Services, page: _TypePage) -> None:
    known_types, set_limits = services.known_types(), services.set_limits()

    def save(published: PublishedType, chosen: Mapping[str, Any]) -> PublishedType:
        return set_limits(published.type.name, Override(chosen) if chosen else None)

    @pages.action("/type/<name>/limits", MANAGE_ALL)
    def set_limits_of_type(sent: Sent, name: str) -> Done | Shown:
        published = known_types.read_again(TypeName(name))
        form = LimitsForm.sent(published, sent)
        chosen = form.chosen()
        if form.first_wrong:
            return page.refused(name, form)
        names = {each.name for each in form.fields}
        kept = {each: value for each, value in set_by_operator(published).items() if each not in names}
        holding = in_words(save(published, {**kept, **chosen}).limits.limits)
        return Done(f"Limits of {name}: {holding or 'none'}.")

    @pages.action("/type/<name>/limits/remove", MANAGE_ALL)
    def remove_limits_of_type(_: Sent, name: str) -> Done:
        holding = in_words(set_limits(TypeName(name), None).limits.limits)
        return Done(f"The limits of {name} are those that its function declares: {holding or 'none'}.")

    @pages.action(f"/type/<name>/<any({', '.join(SWITCHES)}):switch>", MANAGE_ALL)
    def switch_type(_: Sent, name: str, switch: str) -> Done:
        chosen = SWITCHES[switch]
        published = known_types.read_again(TypeName(name))
        saved = save(published, chosen.change(set_by_operator(published)))
        if switch == "resume" and saved.limits.limits.is_paused:
            return Done(f"{name} stays paused: its function declares that none may run at once.")
        return Done(f"{name} {chosen.sentence}")


def _result(type: TaskType) -> SchemaTable | None:
    return None if type.result_schema is None else result_table(type.result_schema)


def _example(type: TaskType, checker: ArgumentChecker) -> str:
    """The JSON of arguments that the type accepts, or of none, as an argument of a shell."""
    args = example_of(type.schema, lambda value: isinstance(value, dict) and not checker.errors(type.schema, value))
    return dump(args or {}).replace("'", r"'\''")
