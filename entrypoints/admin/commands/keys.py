"""`keys`: list the API keys, make one, and revoke one."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from application.use_cases.create_api_key import ApiKeyRequest
from domain.access import Scope
from domain.api_key import ApiKey
from domain.ids import ApiKeyId, TypeName
from entrypoints.admin.composition import Composition
from entrypoints.admin.output import ago, as_json, moment, print_table
from entrypoints.api_key_json import api_key_json

HEADER = ("ID", "NAME", "STATE", "SCOPES", "TYPES", "TASKS", "LIMITS", "LAST USED", "EXPIRES")
SCOPES = click.Choice([scope.value for scope in Scope])
SECONDS_BY_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Expiry(click.ParamType[datetime | timedelta]):
    """A time in ISO 8601, or so long from now, which is a timedelta."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime | timedelta:
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        try:
            if span := re.fullmatch(r"([1-9][0-9]{0,9})([smhd])", value):
                return timedelta(seconds=int(span[1]) * SECONDS_BY_UNIT[span[2]])
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a time: write 2027-01-31T12:00Z, or 12h or 30d from now.")


@click.group(invoke_without_command=True)
@as_json
@click.pass_context
def keys(context: click.Context, as_json: bool) -> None:
    """List the API keys, make one, or revoke one."""
    if context.invoked_subcommand is None:
        _list(context.obj, as_json)


@keys.command()
@click.option("--name", required=True, help="A name for people.")
@click.option("--scope", "scopes", required=True, multiple=True, type=SCOPES, help="What it may do; repeatable.")
@click.option("--type", "types", multiple=True, metavar="NAME", help="A type that it may submit; repeatable.")
@click.option("--own-only", is_flag=True, help="It sees only tasks that were submitted with it.")
@click.option("--per-second", type=float, help="Requests that it may make in a second.")
@click.option("--burst", type=int, help="Requests that may come together.")
@click.option("--max-waiting", type=int, help="Tasks submitted with it that may wait at a time.")
@click.option("--expires", type=Expiry(), help="When it ends: a time, or 12h or 30d from now.")
@as_json
@click.pass_obj
def create(
    admin: Composition, /, scopes: Sequence[str], types: Sequence[str], expires: Any, as_json: bool, **given: Any
) -> None:
    """Make a key, and print it: it is stored nowhere.

    The first key closes the API: from then on every request needs one.
    """
    now = admin.use_cases.clock().now()
    created = admin.use_cases.create_api_key()(
        ApiKeyRequest(
            scopes=frozenset(map(Scope, scopes)),
            types=[*map(TypeName, types)] or None,
            expires=now + expires if isinstance(expires, timedelta) else expires,
            **given,
        )
    )
    click.echo(api_key_json(created.key, created.token) if as_json else str(created.token))


@keys.command()
@click.argument("id")
@click.pass_obj
def revoke(admin: Composition, id: str) -> None:
    """Revoke a key: within 5 seconds no API accepts it."""
    key = admin.use_cases.revoke_api_key()(ApiKeyId(id))
    click.echo(f"Key {key.id} ({key.name}) is revoked.")


def _list(admin: Composition, as_json: bool) -> None:
    found = admin.use_cases.list_api_keys()()
    if as_json:
        click.echo(f'{{"keys":[{",".join(map(api_key_json, found))}]}}')
        return
    now = admin.use_cases.clock().now()
    print_table(HEADER, [_row(key, now) for key in found])


def _row(key: ApiKey, now: datetime) -> Sequence[object]:
    return (
        key.id,
        key.name,
        "valid" if key.is_valid(now) else "revoked" if key.revoked else "expired",
        ", ".join(sorted(key.scopes)),
        "all" if key.types is None else ", ".join(sorted(key.types)),
        "own" if key.own_only else "all",
        ", ".join(_limits(key)),
        ago(key.last_used, now),
        moment(key.expires),
    )


def _limits(key: ApiKey) -> Iterator[str]:
    if key.per_second is not None:
        yield f"{key.per_second:g}/s"
    if key.max_waiting is not None:
        yield f"{key.max_waiting} waiting"
