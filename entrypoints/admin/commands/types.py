"""`types`: list the types, and forget one."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import click

from application.ports.published_types import PublishedType
from domain.ids import TypeName
from domain.status import Status
from entrypoints.admin.composition import Composition
from entrypoints.admin.output import ago, as_json, moment, print_table
from entrypoints.types_json import type_json

COUNTED = (Status.WAITING, Status.RUNNING, Status.FAILED)
HEADER = ("TYPE", "STATE", "WAITING", "RUNNING", "FAILED", "OLDEST DUE", "NEXT TICK", "DESCRIPTION")


@click.group(invoke_without_command=True)
@as_json
@click.pass_context
def types(context: click.Context, as_json: bool) -> None:
    """List the types, or forget one."""
    if context.invoked_subcommand is None:
        _list(context.obj, as_json)


@types.command()
@click.argument("name")
@click.pass_obj
def forget(admin: Composition, name: str) -> None:
    """Forget a type that no live handler and no task has.

    A handler that has the function publishes it again.
    """
    admin.use_cases.forget_type()(TypeName(name))
    click.echo(f"Type {name} is forgotten.")


def _list(admin: Composition, as_json: bool) -> None:
    known, due = admin.use_cases.known_types().all(), admin.use_cases.find_oldest_due()()
    if as_json:
        listed = (type_json(each, due.get(name)) for name, each in known.items())
        click.echo(f'{{"types":[{",".join(listed)}]}}')
        return
    counts, now = admin.use_cases.count_tasks()(), admin.use_cases.clock().now()
    print_table(HEADER, [_row(each, counts.get(name, {}), due.get(name), now) for name, each in known.items()])


def _row(
    published: PublishedType, counts: Mapping[Status, int], due: datetime | None, now: datetime
) -> Sequence[object]:
    return (
        published.type.name,
        ", ".join(_states(published)),
        *(counts.get(each, 0) for each in COUNTED),
        ago(due, now),
        moment(published.next),
        (published.type.description or "").strip().partition("\n")[0],
    )


def _states(published: PublishedType) -> Iterator[str]:
    yield "live" if published.live else "abandoned" if published.abandoned else "no handler"
    limits = published.limits.limits
    if limits.is_paused:
        yield "paused"
    if not limits.accepting:
        yield "closed"
