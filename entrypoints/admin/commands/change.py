"""`cancel`, `retry` and `purge`: change many tasks, after a question that says how many."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import click

from application.diagnosis.wording import counted
from application.errors import StorageUnavailable
from application.ports.listing import ANY_STATUS, Filter
from application.use_cases.change_tasks import MAX_ID, ChangeTasksRequest, ChangeTasksResult
from application.use_cases.count_matching import MatchingTasks
from domain.status import FINAL, RULES, Status, Verb
from entrypoints.admin.composition import Composition
from entrypoints.admin.filters import filtered, task_filter
from entrypoints.containers.admin import AdminContainer

C = TypeVar("C", bound=Callable[..., Any])
EVERYTHING = Filter()
SLICE_SECONDS = 10.0
"""Seconds after which a use case answers, so that a failure does not hide what was changed before."""


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of change.

    - `asks`: the question, before the number of tasks.
    - `done`: what has become of the tasks, behind their number.
    - `statuses`: those of tasks that can be changed.
    - `carry_out`: the use case.
    """

    verb: Verb
    asks: str
    done: str
    statuses: frozenset[Status]
    carry_out: Callable[[AdminContainer], Callable[[ChangeTasksRequest], ChangeTasksResult]]


CANCEL = Change(Verb.CANCEL, "Cancel", "cancelled", RULES[Verb.CANCEL], lambda it: it.cancel_tasks())
RETRY = Change(Verb.RETRY, "Retry", "waiting again", RULES[Verb.RETRY], lambda it: it.retry_tasks())
PURGE = Change(Verb.DELETE, "Delete for good", "deleted", FINAL, lambda it: it.delete_tasks())


def changing(kind: Change) -> Callable[[C], C]:
    """Give a command the options of a change."""
    options = (
        filtered(kind.statuses),
        click.option("--all", "all_", is_flag=True, help="All tasks, where neither ids nor filters are given."),
        click.option("--limit", type=click.IntRange(1), default=MAX_ID, metavar="NUMBER", help="At most so many."),
        click.option("--yes", is_flag=True, help="Do not ask before the change."),
        click.pass_obj,
    )

    def decorate(command: C) -> C:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@click.command()
@changing(CANCEL)
def cancel(admin: Composition, **given: Any) -> None:
    """Cancel waiting and running tasks.

    None of them starts any more, and their runs are ended.
    """
    _change(admin, CANCEL, **given)


@click.command()
@changing(RETRY)
def retry(admin: Composition, **given: Any) -> None:
    """Let failed and cancelled tasks wait again.

    They may have as many attempts more as their types have.
    """
    _change(admin, RETRY, **given)


@click.command()
@changing(PURGE)
def purge(admin: Composition, **given: Any) -> None:
    """Delete finished tasks before they expire.

    Their arguments, results and logs are gone for good.
    """
    _change(admin, PURGE, **given)


def _change(admin: Composition, kind: Change, all_: bool, limit: int, yes: bool, **given: Any) -> None:
    filter = task_filter(given, admin.use_cases.clock().now(), kind.statuses)
    if not all_ and replace(filter, statuses=ANY_STATUS) == EVERYTHING and given["status"] is None:
        raise click.UsageError("Name the tasks by their ids or by filters, or say --all.")
    tasks = admin.use_cases.count_matching()(filter, kind.verb)
    if not tasks.number:
        click.echo(f"No task matches that can be {'retried' if kind is RETRY else kind.done}.")
        return
    if not yes:
        click.confirm(f"{kind.asks} {_number(tasks, limit)}?", abort=True, err=True)
    bounded = replace(filter, as_of=tasks.as_of)
    request = ChangeTasksRequest(filter=bounded, before=tasks.before, limit=limit, seconds=SLICE_SECONDS)
    click.echo(_sentence(kind, _carry_out(admin, kind, request)))


def _carry_out(admin: Composition, kind: Change, request: ChangeTasksRequest) -> int:
    """Change all the tasks, some seconds at a time. The number of changed ones."""
    carry_out = kind.carry_out(admin.use_cases)
    count, before = 0, request.before
    while before is not None and count < request.limit:
        try:
            result = carry_out(replace(request, before=before, limit=request.limit - count))
        except StorageUnavailable:
            if count:
                click.echo(_sentence(kind, count), err=True)
            raise
        count, before = count + result.count, result.next
    return count


def _number(tasks: MatchingTasks, limit: int) -> str:
    least = "" if tasks.is_exact or tasks.number >= limit else "at least "
    return f"{least}{counted(min(tasks.number, limit))}"


def _sentence(kind: Change, count: int) -> str:
    return f"{counted(count)} {'is' if count == 1 else 'are'} {kind.done}."
