"""What may stand in the queries, with the limits of each parameter."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema
from marshmallow.validate import Length, Range

from domain.callback import MAX_ADDRESS_CHARACTERS
from domain.instants import LATEST
from domain.options import MAX_PRIORITY, MAX_STARTS, MAX_TIMEOUT_SECONDS, MIN_PRIORITY, OPTION_NAMES
from entrypoints.http.requests.parsing import Number, WholeNumber

MAX_WAIT_SECONDS = 50
"""Seconds: proxies give up after a minute."""


class StrictSchema(Schema):
    """A query that takes what is declared and nothing else."""

    error_messages = {"unknown": "Unknown parameter."}  # noqa: RUF012


class NoQuery(StrictSchema):
    """Nothing."""


class ViewQuery(StrictSchema):
    """How long the answer may take."""

    wait = Number(
        validate=Range(0, MAX_WAIT_SECONDS),
        metadata={
            "description": "Seconds: answer when the task has finished, or after that time. A task that failed is "
            "answered like any other: read `status`.",
        },
    )


class TaskOptions(StrictSchema):
    """The options of a task. None has an example of its own: Swagger UI would send it unasked."""

    delay = Number(
        validate=Range(0, MAX_TIMEOUT_SECONDS),
        metadata={"description": "Seconds from now before which it does not start, such as 2.5. Not with `run_at`."},
    )
    run_at = Number(
        validate=Range(0, LATEST.timestamp()),
        metadata={
            "description": "The moment before which it does not start, in Unix seconds, such as 1893456000. "
            "Not with `delay`.",
        },
    )
    priority = WholeNumber(
        validate=Range(MIN_PRIORITY, MAX_PRIORITY),
        metadata={"description": "Higher starts first."},
    )
    max_attempts = WholeNumber(
        validate=Range(1, MAX_STARTS),
        metadata={
            "description": "How often it may start when the task itself is at fault: an exception, a timeout, a crash.",
        },
    )
    max_losses = WholeNumber(
        validate=Range(0, MAX_STARTS),
        metadata={
            "description": "How many starts may be lost through no fault of the task before it fails. "
            "0 makes a task that never starts twice.",
        },
    )
    timeout = Number(
        validate=Range(0, MAX_TIMEOUT_SECONDS, min_inclusive=False),
        metadata={"description": "Seconds that an attempt may take, such as 60.", "exclusiveMinimum": 0},
    )
    ttl = WholeNumber(
        validate=Range(1, MAX_TIMEOUT_SECONDS),
        metadata={
            "description": "Seconds that the task is kept, counted from when it may run. The default is MAX_TASK_TIME.",
        },
    )
    callback = fields.String(
        # Which characters an address has is for the domain to say.
        validate=Length(1, MAX_ADDRESS_CHARACTERS),
        metadata={
            "description": "The http or https address that is told, signed, when the task has finished, such as "
            "https://example.org/told. Takes a WEBHOOK_SECRET of the service.",
        },
    )

    @validates_schema
    def has_one_start(self, data: dict[str, Any], **_: Any) -> None:
        """ValidationError for a delay and a moment at once."""
        if "delay" in data and "run_at" in data:
            raise ValidationError("Give delay or run_at, not both.", "run_at")


class SubmitQuery(TaskOptions, ViewQuery):
    """The options of a task, and how long the answer may take."""


QUERY_OPTIONS = frozenset(TaskOptions().fields)
WHOLE_NUMBER_OPTIONS = frozenset(name for name, field in TaskOptions().fields.items() if isinstance(field, WholeNumber))


def task_request(options: Mapping[str, Any]) -> dict[str, Any]:
    """What a Request has of the options of a task that are given so; what else is given is passed over."""
    if QUERY_OPTIONS.isdisjoint(options):
        return {}
    # To JSON Schema, 1.0 is an integer.
    given = {name: int(value) if name in WHOLE_NUMBER_OPTIONS else value for name, value in options.items()}
    return {
        "delay": given.get("delay"),
        "run_at": moment(given["run_at"]) if "run_at" in given else None,
        "ttl": given.get("ttl"),
        "options": {name: given[name] for name in OPTION_NAMES if name in given},
    }


def moment(unix_seconds: float) -> datetime:
    """That moment, UTC-aware."""
    return datetime.fromtimestamp(unix_seconds, UTC)
