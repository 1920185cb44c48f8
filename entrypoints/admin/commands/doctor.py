"""`doctor`: find what is wrong, and say what mends it."""

import json
from collections.abc import Iterator, Sequence

import click

from application.diagnosis.finding import Check
from application.diagnosis.wording import counted
from application.errors import ApplicationError, OutdatedTables, StorageUnavailable, StorageUnusable, driver_message
from application.outages import Finding, finding_of
from entrypoints.admin.composition import Composition
from entrypoints.admin.output import as_json, printable
from entrypoints.admin.settings_check import check_settings

OK, TO_DO = "ok", "to do"
COLUMNS = "{:<7}{:<13}{}"


@click.command()
@as_json
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Find what is wrong, and say what mends it.

    It looks at the database, the processes that have a record there, and the settings of this environment.

    The exit code is 0 if all is well, and 1 if there is something to do.
    """
    checks = [*_checks(context.obj)]
    findings = [finding for check in checks for finding in check.findings]
    if as_json:
        click.echo(json.dumps({"checks": [*map(_json, checks)]}, ensure_ascii=False))
    else:
        for line in _lines(checks):
            click.echo(line)
        click.echo(f"{counted(len(findings), 'thing')} to do." if findings else "All is well.")
    context.exit(1 if findings else 0)


def _checks(admin: Composition) -> Iterator[Check]:
    settings = admin.settings
    try:
        use_cases = admin.use_cases
        yield from use_cases.diagnose()()
        yield check_settings(settings, use_cases.list_handlers()())
    except (OutdatedTables, StorageUnavailable, StorageUnusable) as error:
        yield Check("database", "It cannot be used.", [_unusable(error)])
        yield check_settings(settings)


def _unusable(error: ApplicationError) -> Finding:
    match error:
        case StorageUnusable():
            return Finding(
                f"The database cannot be used: {error.problem}.", f"{error.cure[0].upper()}{error.cure[1:]}."
            )
        case OutdatedTables():
            return Finding("The tables are older than this version of the service, or missing.", "Run migrate.")
        case _:
            found = finding_of(error)
            return Finding(f"{found.found} ({driver_message(error)})", found.cure)


def _lines(checks: Sequence[Check]) -> Iterator[str]:
    for check in checks:
        if not check.findings:
            yield COLUMNS.format(OK, check.name, printable(check.fact))
        for found, cure in check.findings:
            yield COLUMNS.format(TO_DO, check.name, printable(found))
            yield COLUMNS.format("", "", printable(cure))


def _json(check: Check) -> dict[str, object]:
    findings = [finding._asdict() for finding in check.findings]
    return {"check": check.name, "fact": check.fact, "findings": findings}
