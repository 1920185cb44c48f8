"""Tasks and rows that do harm: a function that kills its handler, and rows that the service would not write."""

from contextlib import suppress

import httpx

from tests.chaos.actions.action import Undo
from tests.chaos.history import ADMINISTRATOR
from tests.chaos.schedule import Step
from tests.chaos.service import ServiceUnderTest

WAITING, RUNNING = "status = 'waiting'", "status = 'running'"
ROWS = (
    ("attempt = max_attempts", "max_attempts = attempt", "status = 'waiting' AND attempt > 0"),
    ("an error of a newer version", """error = '["ValueError", "of a newer version", 1, {"notes": []}]'""", WAITING),
    ("an error that is no error", "error = '{\"type\": 1}'", WAITING),
    ("an unreadable progress", "progress = 'unreadable'", RUNNING),
    ("lowered max_losses", "max_losses = greatest(losses - 1, 0)", RUNNING),
    ("run_at = infinity", "run_at = 'infinity', expire = 'infinity'", WAITING),
    ("the last claim", "claims = 2147483647", WAITING),
    ("the last claim of a running task", "claims = 2147483647", RUNNING),
    ("unreadable arguments", "args = '{\"mark\": '", WAITING),
    ("a timeout that is no number", "timeout = 'NaN'", WAITING),
    ("a handler of another form", "handler = 'unheard of'", RUNNING),
    ("a callback that is no address", "callback = 'nowhere'", "status IN ('waiting', 'running')"),
    ("created before all time", "created = '-infinity'", "status <> 'running'"),
    ("a result that is no JSON", "result = '{\"token\": '", "status = 'done'"),
)
"""Rows that an administrator or a newer version wrote: a description, the change and the rows to choose from."""
UPDATE = """
UPDATE tasks SET {change} WHERE id IN (
    SELECT id FROM tasks WHERE {condition} ORDER BY random() LIMIT 2 FOR UPDATE SKIP LOCKED
)
"""


def kill_by_function(service: ServiceUnderTest, step: Step) -> str | None:
    """Submit a task that kills its handler."""
    mark = f"killer-{step.moment:.3f}"
    with suppress(httpx.TransportError):
        answer = httpx.post(f"{service.address}/task/new/kills_its_handler", json={"mark": mark}, timeout=2)
        return f"as task {answer.json()['id']}" if answer.status_code == 201 else None
    return None


def administer_rows(service: ServiceUnderTest, step: Step) -> tuple[str, Undo] | None:
    """Write to a few rows as no code of the service would."""
    description, change, condition = ROWS[step.target % len(ROWS)]
    with service.server.connection(ADMINISTRATOR) as connection, connection, connection.cursor() as cursor:
        cursor.execute(UPDATE.format(change=change, condition=condition))
        return (description, lambda: None) if cursor.rowcount else None
