"""Faults of sessions: ended, kept out, or started with defaults that the service did not choose."""

from contextlib import suppress
from typing import Any

import psycopg2

from tests.chaos.actions.action import Undo
from tests.chaos.schedule import Step
from tests.chaos.server import MAX_CONNECTIONS
from tests.chaos.service import ServiceUnderTest

TERMINATED_BACKENDS = 4
"""Sessions that are ended so that others start under the fault."""
ROLE_TIMEOUTS = (
    ("statement_timeout", "400ms"),
    ("lock_timeout", "100ms"),
    ("idle_in_transaction_session_timeout", "200ms"),
    ("idle_session_timeout", "500ms"),
)


def terminate_backends(service: ServiceUnderTest, step: Step) -> str | None:
    """Have the server end some connections."""
    if not service.is_server_available:
        return None
    number = 1 + step.target % 8
    with suppress(psycopg2.Error):
        service.server.terminate_backends(number)
        return f"{number}"
    return None


def read_only_database(service: ServiceUnderTest, step: Step) -> tuple[str, Undo]:
    """Sessions that start from now on may not write; those that started in this time keep that."""
    service.server.execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
    service.server.terminate_backends(TERMINATED_BACKENDS)
    return "", lambda: service.server.execute("ALTER DATABASE postgres RESET default_transaction_read_only")


def read_only_system(service: ServiceUnderTest, step: Step) -> tuple[str, Undo]:
    """No session of the service may write."""
    reload = "SELECT pg_reload_conf()"
    service.server.execute("ALTER SYSTEM SET default_transaction_read_only = on", reload)
    return "", lambda: service.server.execute("ALTER SYSTEM RESET default_transaction_read_only", reload)


def role_timeouts(service: ServiceUnderTest, step: Step) -> tuple[str, Undo]:
    """Sessions that start from now on have a short timeout, of one kind; those that started in this time keep it."""
    name, value = ROLE_TIMEOUTS[step.target % len(ROLE_TIMEOUTS)]
    service.server.execute(f"ALTER ROLE postgres SET {name} = '{value}'")
    service.server.terminate_backends(TERMINATED_BACKENDS)
    return f"{name} {value}", lambda: service.server.execute(f"ALTER ROLE postgres RESET {name}")


def exhaust_connections(service: ServiceUnderTest, step: Step) -> tuple[str, Undo]:
    """Take every connection that the server allows, those of some sessions of the service included."""
    taken = _take_connections(service)
    with suppress(psycopg2.Error), taken[0].cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ '^(api|handler|janitor)'"
            f" LIMIT {TERMINATED_BACKENDS}"
        )
    taken += _take_connections(service)

    def give_back() -> None:
        for each in taken:
            each.close()

    return f"{len(taken)}", give_back


def _take_connections(service: ServiceUnderTest) -> list[Any]:
    taken: list[Any] = []
    with suppress(psycopg2.Error):
        while len(taken) < MAX_CONNECTIONS:
            taken.append(service.server.session("other"))
    return taken
