"""`tasks`: list tasks."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import click

from application.ports.listing import Part
from application.use_cases.list_tasks import ListTasks, ListTasksRequest
from application.view import View
from domain.ids import TaskId
from entrypoints.admin.composition import Composition
from entrypoints.admin.filters import ID, filtered, task_filter
from entrypoints.admin.output import as_json, moment, print_table
from entrypoints.task_json import summary_json

DEFAULT_TASKS, MAX_TASKS, PAGE_TASKS = 50, 1_000_000, 1_000
HEADER = ("ID", "TYPE", "STATUS", "CREATED", "FINISHED", "ATTEMPT", "NOTE")


@click.command()
@filtered()
@click.option("--limit", type=click.IntRange(1, MAX_TASKS), default=DEFAULT_TASKS, show_default=True, metavar="NUMBER")
@click.option("--cursor", type=ID, metavar="ID", help="Only tasks behind this one: the end of an earlier list.")
@click.option(
    "--include",
    type=click.Choice([each.value for each in Part]),
    multiple=True,
    help="With --json: texts that each task has.",
)
@as_json
@click.pass_obj
def tasks(
    admin: Composition, /, limit: int, cursor: int | None, include: Sequence[str], as_json: bool, **given: Any
) -> None:
    """List tasks, newest first.

    A task has to match each of the filters, and to have one of the ids if any are given.
    """
    if include and not as_json:
        raise click.UsageError("--include needs --json: a table has no room for texts.")
    filter = task_filter(given, admin.use_cases.clock().now())
    before = None if cursor is None else TaskId(cursor)
    request = ListTasksRequest(filter=filter, before=before, include=frozenset(map(Part, include)), limit=limit)
    views, next = _read(admin.use_cases.list_tasks(), request)
    if as_json:
        listed = ",".join(summary_json(each, request.include) for each in views)
        click.echo(f'{{"tasks":[{listed}],"next":{json.dumps(None if next is None else str(next))}}}')
        return
    print_table(HEADER, [_row(each) for each in views])
    if next is not None:
        click.echo(f"More tasks match: raise --limit, or go on with --cursor {next}.", err=True)


def _read(list_page: ListTasks, request: ListTasksRequest) -> tuple[Sequence[View], TaskId | None]:
    """Read one page after the other, up to the limit: a page may end early. With the cursor of what follows."""
    views: list[View] = []
    while True:
        page = list_page(replace(request, limit=min(PAGE_TASKS, request.limit - len(views))))
        views += page.views
        next = page.next if isinstance(page.next, int) else None
        if next is None or len(views) == request.limit:
            return views, next
        request = replace(request, before=next)


def _row(view: View) -> Sequence[object]:
    task = view.task
    return (
        task.id,
        task.type,
        task.status.value,
        moment(task.created),
        moment(task.finished),
        f"{task.attempt}/{task.max_attempts}",
        "; ".join(_notes(view)),
    )


def _notes(view: View) -> Iterator[str]:
    task = view.task
    if view.waiting_for:
        yield f"waits for {view.waiting_for}"
    if task.lease:
        yield f"on {task.lease.handler}"
    if task.progress and not task.status.is_final:
        yield f"{task.progress.value:.0%} {task.progress.message}".rstrip()
    if task.error:
        yield f"{task.error.type}: {task.error.message}"
