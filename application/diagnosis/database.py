"""Checks of the database: its rights, its clock, its connections, its settings, and what holds vacuum back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from application.diagnosis.finding import Check
from application.diagnosis.wording import counted, duration, listed
from application.errors import Outage
from application.outages import FINDINGS, Finding
from application.ports.inspection import Connections, Inspection, Rights

MAX_CLOCK_SECONDS = 2.0
"""Seconds that the clock of the host may differ from the database's."""
NEEDED_SETTINGS: Mapping[str, Finding] = {
    "fsync": Finding(
        "The server has fsync off, so a crash of its machine may lose or damage tasks that were answered with 201.",
        "Set it with ALTER SYSTEM SET fsync = on, and reload the server.",
    ),
    "full_page_writes": Finding(
        "The server has full_page_writes off, so a crash of its machine may damage the tables.",
        "Set it with ALTER SYSTEM SET full_page_writes = on, and reload the server.",
    ),
    "autovacuum": Finding(
        "The server has autovacuum off, so rows of deleted tasks are never removed, and claims become slow.",
        "Set it with ALTER SYSTEM SET autovacuum = on, and reload the server.",
    ),
    "track_counts": Finding(
        "The server has track_counts off, so autovacuum does not know which tables have changed.",
        "Set it with ALTER SYSTEM SET track_counts = on, and reload the server.",
    ),
}
"""Settings of the server that have to be on, with what to say where one is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Connections that one process needs at most, by its kind. An API leaves no record: one is counted."""

    api: int
    handler: int
    janitor: int


def check_database(inspection: Inspection) -> Check:
    """Check the version and the rights. A server that is too old, or tables that may not be read, end it before."""
    rights = inspection.rights
    fact = f"PostgreSQL {inspection.version}, as role {rights.role} in schema {rights.schema}."
    return Check("database", fact, [*_rights(rights)])


def check_clock(database: datetime, host: datetime) -> Check:
    """Check the clock of this host against the database's."""
    ahead = (host - database).total_seconds()
    distance = f"{abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} the database's"
    findings = []
    if abs(ahead) > MAX_CLOCK_SECONDS:
        cure = (
            "Set both by NTP: the service goes by the database's clock, but logs and functions show that of the host."
        )
        findings = [Finding(f"The clock of this host is {distance}.", cure)]
    return Check("clock", f"The clock of this host is {distance}.", findings)


def check_connections(connections: Connections, need: Need, handlers: int, janitors: int) -> Check:
    """Check that all processes can have the connections that they need at most, beside those of others."""
    needed = need.api + need.handler * handlers + need.janitor * janitors
    others = connections.used - connections.used_by_service
    processes = f"one API, {counted(handlers, 'handler')} and {counted(janitors, 'janitor')} need at most {needed}"
    fact = f"Of {connections.allowed} connections {connections.used} are in use; {processes}."
    findings = []
    if needed + others > connections.allowed:
        found = f"There are {connections.allowed} connections, others use {others} of them, and {processes}."
        findings = [Finding(found, FINDINGS[Outage.NO_CONNECTIONS].cure)]
    return Check("connections", fact, findings)


def check_snapshots(inspection: Inspection, now: datetime) -> Check:
    """Check for forgotten snapshots, which keep the rows of deleted and claimed tasks, so that claims become slow."""
    found = [*_old_transactions(inspection, now), *_prepared_transactions(inspection, now), *_unused_slots(inspection)]
    hidden = (
        "" if inspection.rights.sees_all else " Those of other roles are not seen without the role pg_read_all_stats."
    )
    fact = f"{'Something' if found else 'Nothing'} holds vacuum back.{hidden}"
    return Check("snapshots", fact, found)


def check_server_settings(inspection: Inspection) -> Check:
    """Check the settings of the server."""
    wrong = [finding for name, finding in NEEDED_SETTINGS.items() if inspection.settings.get(name, "on") == "off"]
    return Check("server", f"The server's {', '.join(NEEDED_SETTINGS)} were looked at.", wrong)


def _rights(rights: Rights) -> Iterator[Finding]:
    if rights.is_read_only:
        yield FINDINGS[Outage.READ_ONLY]
    if not rights.may_create:
        yield Finding(
            f"Role {rights.role} may not make tables in schema {rights.schema}, which the next version may need.",
            f"GRANT CREATE ON SCHEMA {rights.schema} TO {rights.role}, or run the printed SQL of each migration.",
        )
    if rights.foreign_tables:
        yield Finding(
            f"Role {rights.role} does not own {listed(rights.foreign_tables)}, which the next version may change.",
            f"ALTER TABLE … OWNER TO {rights.role}, or run the printed SQL of each migration as their owner.",
        )


def _old_transactions(inspection: Inspection, now: datetime) -> Iterator[Finding]:
    for each in inspection.old_transactions:
        who = f"of role {each.role}" + (f" ({each.application})" if each.application else "")
        yield Finding(
            f"Vacuum is held back: a transaction {who} is open for {_age(each.since, now)}, {each.state}.",
            f"End it in its program, or by SELECT pg_terminate_backend({each.pid}).",
        )


def _prepared_transactions(inspection: Inspection, now: datetime) -> Iterator[Finding]:
    for each in inspection.prepared_transactions:
        yield Finding(
            f"Vacuum is held back: the prepared transaction {each.name} waits for {_age(each.since, now)}.",
            f"Let its program end it, or say ROLLBACK PREPARED '{each.name}' in this database.",
        )


def _unused_slots(inspection: Inspection) -> Iterator[Finding]:
    for name in inspection.unused_slots:
        yield Finding(
            f"Vacuum is held back: nothing reads from the replication slot {name}, which also keeps the server's log.",
            f"Start its reader again, or say SELECT pg_drop_replication_slot('{name}').",
        )


def _age(since: datetime, now: datetime) -> str:
    return duration((now - since).total_seconds())
