"""Locks on tables and rows by sessions of other programs, which are idle in a transaction without any timeout."""

from contextlib import suppress
from typing import Any

import psycopg2

from tests.chaos.actions.action import Begin, Undo
from tests.chaos.schedule import Step
from tests.chaos.service import ServiceUnderTest

TABLES = ("tasks", "handlers", "attempts", "deliveries", "schedules", "task_types", "type_limits")
MODES = ("SHARE", "EXCLUSIVE")
ACQUIRE = "SET LOCAL lock_timeout = '500ms'"


def lock_table(table: str) -> Begin:
    """Lock a table, as the creation of an index does, or a stronger program."""

    def begin(service: ServiceUnderTest, step: Step) -> tuple[str, Undo]:
        mode = MODES[step.target % len(MODES)]
        return mode, _hold(service, f"LOCK TABLE {table} IN {mode} MODE")

    return begin


def lock_rows(table: str) -> Begin:
    """Lock some rows of a table, running tasks first."""

    def begin(service: ServiceUnderTest, step: Step) -> tuple[str, Undo]:
        number = 1 + step.target % 3
        order = "ORDER BY status <> 'running', random()" if table == "tasks" else "ORDER BY random()"
        chosen = f"SELECT ctid FROM {table} {order} LIMIT {number}"
        return f"{number}", _hold(service, f"SELECT FROM {table} WHERE ctid = ANY (ARRAY({chosen})) FOR UPDATE")

    return begin


def _hold(service: ServiceUnderTest, statement: str) -> Undo:
    """Execute the statement in a transaction that stays open. The function that ends it."""
    session: Any = service.server.session("other")
    try:
        with session.cursor() as cursor:
            cursor.execute(ACQUIRE)
            cursor.execute(statement)
    except psycopg2.Error:
        session.close()
        raise

    def release() -> None:
        with suppress(psycopg2.Error):
            session.close()

    return release


def hold_rows(service: ServiceUnderTest, step: Step) -> str | None:
    """Lock the rows of running tasks for a while, as a process does that is frozen within a transaction."""
    if not service.is_server_available:
        return None
    number = 1 + step.target % 3
    with suppress(psycopg2.Error):
        service.call_later(step.seconds, service.server.hold_rows(number))
        service.record_fault(step.action, None, step.seconds)
        return f"of {number}"
    return None
