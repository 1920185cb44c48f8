"""The filters of commands that list or change tasks: those of GET /tasks, as options."""

import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from itertools import starmap
from typing import Any, TypeVar

import click

from application.failure_groups import GROUP, decoded_group
from application.json.search_terms import label_term, term
from application.ports.listing import ANY_STATUS, Filter
from domain.ids import BatchId, TaskId, TypeName
from domain.instants import EPOCH, LATEST, after
from domain.status import Status

C = TypeVar("C", bound=Callable[..., Any])
MAX_ID = 2**63 - 1
AGE = re.compile(r"([0-9]{1,9})(s|m|h|d)")
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
MAX_AGE_SECONDS = 10**10
UNIX_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]+)?")
ID = click.IntRange(1, MAX_ID)


class Moment(click.ParamType[datetime | timedelta]):
    """A time: in ISO 8601 or Unix seconds, or so long ago, which is a timedelta."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime | timedelta:
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        try:
            return _moment(value)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a time: write 2026-01-31T12:00Z, Unix seconds, or 90s, 30m, 2h, 7d ago.")


class Statuses(click.ParamType[frozenset[Status]]):
    """One status, or several joined by commas."""

    name = "status"

    def __init__(self, allowed: Collection[Status] = ANY_STATUS) -> None:
        self._allowed = sorted(allowed)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> frozenset[Status]:
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        if unknown := [each for each in value.split(",") if each not in self._allowed]:
            self.fail(f"{unknown[0]!r} is not one of {', '.join(self._allowed)}.")
        return frozenset(map(Status, value.split(",")))


class Text(click.ParamType[str]):
    """A text that is not empty: a variable of a shell that is not set must not widen a change."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value:
            self.fail("it is empty.")
        return str(value)


class Pair(click.ParamType[tuple[str, str]]):
    """A name and a value, as in user=ana."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        name, sign, text = value.partition("=")
        if not (name and sign):
            self.fail(f"{value!r} is not a name and a value: write name=value.")
        return name, text


class Group(click.ParamType[int]):
    """The number of a failure group."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        if not re.fullmatch(GROUP, value):
            self.fail(f"{value!r} is not the number of a failure group, as an address of the dashboard has it.")
        return decoded_group(value)


FILTERS = (
    click.argument("ids", nargs=-1, type=ID, metavar="[ID]..."),
    click.option("--type", type=Text(), metavar="NAME", help="Only tasks of this type."),
    click.option("--label", type=Pair(), multiple=True, help="Only tasks with this label. Several can be given."),
    click.option("--arg", type=Pair(), multiple=True, help="Only tasks with this argument: n=5, to.city=Oslo."),
    click.option("--batch", type=ID, metavar="ID", help="Only tasks of this batch."),
    click.option("--created-after", type=Moment(), help="Only tasks created then or later: a time, or 2h (ago)."),
    click.option("--created-before", type=Moment(), help="Only tasks created before that."),
    click.option("--finished-after", type=Moment(), help="Only tasks that finished then or later."),
    click.option("--finished-before", type=Moment(), help="Only tasks that finished before that."),
    click.option(
        "--error-type", type=Text(), metavar="NAME", help="Only failed tasks with an error of this type, in any case."
    ),
    click.option("--error", type=Text(), help="Only failed tasks with this text in their error, in any case."),
    click.option("--error-group", type=Group(), help="Only the tasks of a failure group, by its number."),
)


def filtered(allowed: Collection[Status] = ANY_STATUS) -> Callable[[C], C]:
    """Give a command the filters, with statuses out of these."""
    names = ", ".join(sorted(allowed))
    status = click.option("--status", type=Statuses(allowed), help=f"Only tasks with this status: {names}, or several.")

    def decorate(command: C) -> C:
        for option in reversed((status, *FILTERS)):
            command = option(command)
        return command

    return decorate


def task_filter(given: dict[str, Any], now: datetime, allowed: frozenset[Status] = ANY_STATUS) -> Filter:
    """Make the filter of the options that were given; times ago count from now."""
    times = {name: _at(given[name], now) for name in given if name.endswith(("_after", "_before"))}
    return Filter(
        statuses=given["status"] or allowed,
        type=given["type"] and TypeName(given["type"]),
        terms=frozenset((*starmap(label_term, given["label"]), *starmap(term, given["arg"]))),
        error_type=given["error_type"],
        error=given["error"],
        failure_group=given["error_group"],
        ids=frozenset(map(TaskId, given["ids"])) or None,
        batch=given["batch"] and BatchId(given["batch"]),
        **times,
    )


def _moment(text: str) -> datetime | timedelta:
    """Raises ValueError, OverflowError: it is not a time that can be stored."""
    if ago := AGE.fullmatch(text):
        return timedelta(seconds=min(int(ago[1]) * UNIT_SECONDS[ago[2]], MAX_AGE_SECONDS))
    if UNIX_SECONDS.fullmatch(text):
        return after(EPOCH, float(text))
    # A time without a zone is one of this machine.
    moment = datetime.fromisoformat(text).astimezone(UTC)
    if not EPOCH <= moment <= LATEST:
        raise ValueError
    return moment


def _at(given: datetime | timedelta | None, now: datetime) -> datetime | None:
    return max(EPOCH, now - given) if isinstance(given, timedelta) else given
