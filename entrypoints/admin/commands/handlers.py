"""`handlers`: list the handlers, and the janitors."""

from collections.abc import Iterator
from datetime import datetime

import click

from application.use_cases.list_handlers import HandlerView, JanitorView
from entrypoints.admin.composition import Composition
from entrypoints.admin.output import ago, as_json, print_table
from entrypoints.handlers_json import handlers_json

HANDLERS = ("HANDLER", "STATE", "STARTED", "LAST SEEN", "RUNS", "CLAIMED", "SLOTS", "TYPES")
JANITORS = ("JANITOR", "STATE", "STARTED", "LAST SEEN")


@click.command()
@as_json
@click.pass_obj
def handlers(admin: Composition, as_json: bool) -> None:
    """List the handlers with what they run, and the janitors."""
    processes = admin.use_cases.list_handlers()()
    if as_json:
        click.echo(handlers_json(processes))
        return
    now = admin.use_cases.clock().now()
    print_table(HANDLERS, [[*_head(each, now), *_work(each)] for each in processes.handlers])
    click.echo()
    print_table(JANITORS, [[*_head(each, now)] for each in processes.janitors])


def _head(view: HandlerView | JanitorView, now: datetime) -> Iterator[object]:
    record = view.record
    yield from (record.id, view.state.value, ago(record.started, now), ago(record.last_seen, now))


def _work(view: HandlerView) -> Iterator[object]:
    yield from (view.held.started, view.held.claimed, view.record.concurrency, ", ".join(view.record.types))
