"""Query parameters of the operations, with their limits."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, pre_load, validates_schema
from marshmallow.validate import Length, OneOf, Range

from domain.callback import MAX_ADDRESS_CHARACTERS
from domain.dependencies import IfFailed
from domain.ids import TaskId
from domain.instants import LATEST
from domain.labels import MAX_LABELS, MAX_VALUE_CHARACTERS, NAMES
from domain.options import MAX_PRIORITY, MAX_STARTS, MAX_TIMEOUT_SECONDS, MIN_PRIORITY, OPTION_NAMES, Options
from entrypoints.http.requests.parsing import ID, Number, WholeNumber, WholeText
from entrypoints.http.requests.prefixed import Prefixed, collected

STANDARD = Options()
LABEL_PREFIX = "label."
LABELS_DESCRIPTION = (
    f"A task can have up to {MAX_LABELS} labels, by which it is found. A name has {NAMES}; a value has up to "
    f"{MAX_VALUE_CHARACTERS} characters."
)
IF_FAILED = {
    "description": "What becomes of the task if a task in `after` fails, is cancelled, deleted or expires: `fail`, the "
    "default, fails it at once as `ParentFailed`; `run` lets it run once all have ended.",
}
REFERENCES = (
    "Whether an object with the member `$result` in the arguments, at any depth, stands for a result: "
    '`{"$result": 17, "path": "$.trajectory[0]"}` for a part of that of task 17. Without `path` it is the whole. '
    "The task waits for these tasks too, and gets their results when it starts."
)
MAX_PARENTS = 1_000
"""The most ids in `after` of a query: an address has no room for many."""
MAX_WAIT_SECONDS = 50  # below the minute after which proxies give up


def _default(standard: object) -> str:
    return f"The default is {standard}, or that of the type."


class StrictSchema(Schema):
    """A query without undeclared parameters."""

    error_messages = {"unknown": "Unknown parameter."}  # noqa: RUF012


class NoQuery(StrictSchema):
    """A query without parameters."""


class ViewQuery(StrictSchema):
    """The query of an operation that can wait for the task to finish."""

    wait = Number(
        validate=Range(0, MAX_WAIT_SECONDS),
        metadata={
            "description": "Seconds to wait for the task to finish; the answer is sent then, or when the time is over. "
            "A failed task is not an HTTP error: read `status`.",
        },
    )


class TaskOptions(StrictSchema):
    """The options of a task. None has an example of its own: Swagger UI would send it unasked."""

    delay = Number(
        validate=Range(0, MAX_TIMEOUT_SECONDS),
        metadata={
            "description": "Seconds from now before the task may start, such as 2.5. Cannot be combined with `run_at`.",
        },
    )
    run_at = Number(
        validate=Range(0, LATEST.timestamp()),
        metadata={
            "description": "Earliest start of the task, in Unix seconds, such as 1893456000. "
            "Cannot be combined with `delay`.",
        },
    )
    priority = WholeNumber(
        validate=Range(MIN_PRIORITY, MAX_PRIORITY),
        metadata={"description": f"Tasks with a higher priority start first. {_default(STANDARD.priority)}"},
    )
    max_attempts = WholeNumber(
        validate=Range(1, MAX_STARTS),
        metadata={
            "description": "Maximum number of attempts, counting those that ended in an exception, a timeout or a "
            f"crash, but not lost starts. {_default(STANDARD.max_attempts)}",
        },
    )
    max_losses = WholeNumber(
        validate=Range(0, MAX_STARTS),
        metadata={
            "description": "Maximum number of times that the task is started again after a start was lost through no "
            "fault of the task, such as the death of its handler. With 0 a lost task fails. "
            f"{_default(STANDARD.max_losses)}",
        },
    )
    timeout = Number(
        validate=Range(0, MAX_TIMEOUT_SECONDS, min_inclusive=False),
        metadata={
            "description": f"Maximum duration of an attempt in seconds, such as 60. {_default('no limit')}",
            "exclusiveMinimum": 0,
        },
    )
    ttl = WholeNumber(
        validate=Range(1, MAX_TIMEOUT_SECONDS),
        metadata={
            "description": "Seconds until the task expires and is deleted, counted from its submission or, if later, "
            "from its `run_at`. The default is the MAX_TASK_TIME of the service.",
        },
    )
    callback = fields.String(
        # The domain checks the characters of the address.
        validate=Length(1, MAX_ADDRESS_CHARACTERS),
        metadata={
            "description": "Address that receives a signed callback when the task has finished, such as "
            f"https://example.org/callback. Requires a WEBHOOK_SECRET in the service. {_default('none')}",
        },
    )

    @validates_schema
    def check_start_is_given_once(self, data: dict[str, Any], **_: Any) -> None:
        """Raises ValidationError: both `delay` and `run_at` are given."""
        if "delay" in data and "run_at" in data:
            raise ValidationError("Must be absent where delay is given.", "run_at")


class SubmitQuery(TaskOptions, ViewQuery):
    """The query of a submission: options and labels of the task, the tasks before it, and the time to wait for it."""

    after = fields.String(
        validate=WholeText(rf"^{ID}(,{ID}){{0,{MAX_PARENTS - 1}}}$", error="Must be ids of tasks, as in 17,18."),
        metadata={
            "description": "Ids of the tasks for which the task waits, as in 17,18. It starts after all of them."
        },
    )
    if_failed = fields.String(validate=OneOf([each.value for each in IfFailed]), metadata=IF_FAILED)
    references = fields.Boolean(truthy={"true"}, falsy={"false"}, metadata={"description": REFERENCES})
    label = Prefixed(LABEL_PREFIX, f"A label of the task: `label.user=ana`. {LABELS_DESCRIPTION}", "label.user")

    @pre_load
    def collect_labels(self, sent: Any, **_: Any) -> dict[str, Any]:
        """Collect the parameters of labels in one field."""
        return collected(sent, self.fields)


def dependencies_of_query(query: Mapping[str, Any]) -> dict[str, Any]:
    """Make the keyword arguments of TaskRequest that tell for which tasks it waits."""
    after = [TaskId(int(id)) for id in query["after"].split(",")] if "after" in query else []
    return {"after": after, "if_failed": IfFailed(query["if_failed"])} if "if_failed" in query else {"after": after}


QUERY_OPTIONS = frozenset(TaskOptions().fields)
WHOLE_NUMBER_OPTIONS = frozenset(name for name, field in TaskOptions().fields.items() if isinstance(field, WholeNumber))


def task_request_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Make keyword arguments of TaskRequest from the options of a task. Other members are ignored."""
    if QUERY_OPTIONS.isdisjoint(options):
        return {}
    # JSON Schema accepts 1.0 as an integer.
    given = {name: int(value) if name in WHOLE_NUMBER_OPTIONS else value for name, value in options.items()}
    return {
        "delay": given.get("delay"),
        "run_at": utc_time(given["run_at"]) if "run_at" in given else None,
        "ttl": given.get("ttl"),
        "options": {name: given[name] for name in OPTION_NAMES if name in given},
    }


def utc_time(unix_seconds: float) -> datetime:
    """Convert Unix seconds to a UTC-aware time."""
    return datetime.fromtimestamp(unix_seconds, UTC)
