"""JSON Schemas of the answers, for the OpenAPI document only: no answer is built from them."""

from typing import Any

from marshmallow import Schema, fields

from application.ports.monitoring import Liveness
from application.ports.task_repository import MAX_ATTEMPTS_SHOWN
from application.use_cases.list_handlers import MAX_RUNNING_SHOWN
from application.use_cases.view_statistics import MAX_STEPS
from domain.delivery import DeliveryState
from domain.event import Event
from domain.limits import DECLARABLE, MAX_AT_ONCE
from domain.rate import MAX_BURST, MAX_PER_SECOND, MIN_PER_SECOND
from domain.settlement import Outcome
from domain.status import Status
from domain.waiting import WaitingFor
from entrypoints.task_json import UNFINISHED


def time(description: str) -> dict[str, Any]:
    """Describe a time, or null."""
    return {"type": ["number", "null"], "description": f"{description}, in Unix seconds with milliseconds."}


def second(description: str) -> dict[str, Any]:
    """Describe a whole second."""
    return {"type": "integer", "description": f"{description}, in whole Unix seconds."}


ERROR_OF_ATTEMPT: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "Error of the last failed attempt, or null.",
    "properties": {
        "type": {
            "type": "string",
            "description": "Name of the exception, or of another failure such as `Crashed`.",
            "examples": ["ValueError"],
        },
        "message": {"type": "string", "description": "Message of the exception."},
        "attempt": {"type": "integer", "minimum": 0, "description": "Number of the attempt."},
    },
    "required": ["type", "message", "attempt"],
    "additionalProperties": False,
}

PROGRESS: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "Last progress that the function reported; its value is 1 once the task is done.",
    "properties": {
        "value": {"type": "number", "description": "Completed share, from 0 to 1.", "examples": [0.4]},
        "message": {"type": "string", "description": "Current step of the function.", "examples": ["reading"]},
    },
    "required": ["value", "message"],
    "additionalProperties": False,
}

HEAD: dict[str, Any] = {
    "id": {"type": "integer", "minimum": 1, "description": "Id of the task. Later tasks have higher ids."},
    "type": {"type": "string", "description": "Type of the task, which selects the function that runs it."},
    "status": {
        "type": "string",
        "enum": [status.value for status in Status],
        "description": "Status of the task.",
    },
}

_TEXTS: dict[str, Any] = {
    "args": {"type": "object", "additionalProperties": True, "description": "All arguments, as they were sent."},
    "result": {"description": "Value that the function returned; null unless the task is done."},
}

_TAIL: dict[str, Any] = {
    "error": ERROR_OF_ATTEMPT,
    "progress": PROGRESS,
    "created": second("Time of submission"),
    "expire": second("Time from which the task is deleted, unless it is running; null while it waits for other tasks")
    | {"type": ["integer", "null"]},
    "run_at": time("Earliest start of the task; null if other tasks have not let it run"),
    "started": time("Time of the current or last start"),
    "finished": time("Time when the task finished"),
    "attempt": {
        "type": "integer",
        "minimum": 0,
        "description": "Number of attempts so far. Lost starts are not counted.",
    },
    "max_attempts": {"type": "integer", "minimum": 1, "description": "Maximum number of attempts."},
    "priority": {
        "type": "integer",
        "minimum": -100,
        "maximum": 100,
        "description": "Tasks with a higher priority start first.",
    },
    "handler": {
        "type": ["string", "null"],
        "description": "Name of the handler that runs the task; null unless it is running.",
    },
    "waiting_for": {
        "type": ["string", "null"],
        "enum": [*(reason.value for reason in WaitingFor), None],
        "description": (
            "What the task waits for; null unless it is waiting. `run_at`: the time before which it does not start. "
            "`tasks`: the end of other tasks. `handler`: a free process of a live handler that has the type. "
            "`no_handler_for_type`: a handler that has the type, since no live handler does; until one comes or the "
            "task expires. `paused`: the end of a pause of its type. `limit`: the end of another task, since as many "
            "of its type run as may. `rate`: the time at which the next task of its type may start."
        ),
    },
}

# A task without a callback may have an argument of this name: then the field holds the value of the argument.
CALLBACK: dict[str, Any] = {
    "description": "Address and state of the callback, if the task has one.",
    "examples": [
        {
            "url": "https://example.org/callback",
            "state": state,
            "attempts": 0,
            "next": None,
            "error": None,
        }
        for state in (UNFINISHED, *DeliveryState)
    ],
}

# The same goes for a task without labels.
LABELS: dict[str, Any] = {
    "description": "Labels of the task, texts by name, if it has any.",
    "examples": [{"user": "ana", "run": "7"}],
}

# And for a task without a batch.
BATCH: dict[str, Any] = {"description": "Id of the batch of the task, if it has one.", "examples": [7]}
LABELS_OF_SUMMARY = LABELS | {"type": "object", "additionalProperties": {"type": "string"}}

# A task that waits for no other may have an argument of this name.
AFTER: dict[str, Any] = {
    "description": "Ids of the tasks for which the task waits or has waited, if there are any.",
    "examples": [[17, 18]],
}

SUMMARY: dict[str, Any] = {
    "type": "object",
    "description": "A task in a list. It has arguments and result only if they are to be included.",
    "properties": HEAD | _TEXTS | _TAIL | {"labels": LABELS_OF_SUMMARY, "batch": BATCH},
    "required": [*HEAD, *_TAIL],
    "additionalProperties": False,
}

TASK: dict[str, Any] = {
    "type": "object",
    "description": "A task. Each argument is repeated at the top level, unless a field of the task has the same name.",
    "properties": HEAD | _TEXTS | _TAIL | {"callback": CALLBACK, "labels": LABELS, "batch": BATCH, "after": AFTER},
    "required": [*HEAD, *_TEXTS, *_TAIL],
    "additionalProperties": True,
}

TASK_STATE: dict[str, Any] = {
    "type": "object",
    "description": "The state of a task in an event of many tasks.",
    "properties": {
        **{name: (HEAD | _TAIL)[name] for name in ("id", "status", "progress", "attempt")},
        "finished": time("Time when the task finished; absent before") | {"type": "number"},
        "error_type": {
            "type": ["string", "null"],
            "description": "Type of the error if the task failed, otherwise null; absent before the task has finished.",
        },
    },
    "required": ["id", "status", "progress", "attempt"],
    "additionalProperties": False,
}

PAGE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "tasks": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/Summary"},
            "description": "The tasks.",
        },
        "next": {"type": ["string", "null"], "description": "The `cursor` of the next page; null on the last page."},
    },
    "required": ["tasks", "next"],
    "additionalProperties": False,
}

PENDING: dict[str, Any] = {
    "type": "object",
    "description": "A task that has not finished.",
    "properties": {name: HEAD[name] for name in ("id", "status")},
    "required": ["id", "status"],
    "additionalProperties": False,
}

IDS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "ids": {
            "type": "array",
            "items": {"type": "integer", "minimum": 1},
            "description": "Ids of the tasks, in the order of the items.",
        }
    },
    "required": ["ids"],
    "additionalProperties": False,
}

COUNTS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "counts": {
            "type": "object",
            "description": "Number of tasks by type and status. Counts of zero are left out.",
            "additionalProperties": {
                "type": "object",
                "propertyNames": {"enum": [status.value for status in Status]},
                "additionalProperties": {"type": "integer", "minimum": 1},
            },
        },
        "complete": {
            "type": "boolean",
            "description": "Whether all tasks with the labels were counted. Present only where labels are given.",
        },
    },
    "required": ["counts"],
    "additionalProperties": False,
}

CHANGED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "count": {"type": "integer", "minimum": 0, "description": "Number of tasks that were changed."},
        "next": {
            "type": ["string", "null"],
            "description": "The `cursor` of the next request; null if no task is left.",
        },
    },
    "required": ["count", "next"],
    "additionalProperties": False,
}

ATTEMPT: dict[str, Any] = {
    "type": "object",
    "description": "A start that failed, was lost or printed something.",
    "properties": {
        "claim": {"type": "integer", "minimum": 1, "description": "Number of the start, with lost starts counted."},
        "attempt": {
            "type": "integer",
            "minimum": 0,
            "description": "Number of the attempt, with lost starts not counted.",
        },
        "outcome": {
            "type": "string",
            "enum": [outcome.value for outcome in Outcome],
            "description": "Outcome of the start; `running` while it goes on.",
        },
        "started": time("Time when the function started"),
        "ended": time("Time when the start ended; null while it goes on"),
        "error": {"type": ["string", "null"], "description": "Type and message of the error."},
        "traceback": {"type": ["string", "null"], "description": "Traceback of the error."},
        "log": {
            "type": "string",
            "description": "End of the output of the function: 64 KiB, or 16 KiB while it runs. It begins with … if "
            "earlier output was dropped.",
        },
    },
    "required": ["claim", "attempt", "outcome", "started", "ended", "error", "traceback", "log"],
    "additionalProperties": False,
}

LOG: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "minimum": 1, "description": "Id of the task."},
        "attempts": {
            "type": "array",
            "description": "Starts of the task, oldest first.",
            "items": {"$ref": "#/components/schemas/Attempt"},
            "maxItems": MAX_ATTEMPTS_SHOWN,
        },
    },
    "required": ["id", "attempts"],
    "additionalProperties": False,
}

OVERRIDE: dict[str, Any] = {
    "type": "object",
    "description": "Limits that hold in place of the declared ones. Null lifts a limit.",
    "properties": {
        "at_once": {
            "type": ["integer", "null"],
            "minimum": 0,
            "maximum": MAX_AT_ONCE,
            "description": "Maximum number of tasks of the type that run at the same time, on all handlers.",
        },
        "per_second": {
            "type": ["number", "null"],
            "minimum": MIN_PER_SECOND,
            "maximum": MAX_PER_SECOND,
            "description": "Maximum number of starts in a second, on all handlers, those of retries included.",
        },
        "burst": {
            "type": ["integer", "null"],
            "minimum": 1,
            "maximum": MAX_BURST,
            "description": "Starts that may come together after a pause. The default is a fifth of `per_second`, at "
            "least 1.",
        },
        "at_once_per_lane": {
            "type": ["integer", "null"],
            "minimum": 1,
            "maximum": MAX_AT_ONCE,
            "description": "Maximum number of tasks of one lane that run at the same time, on all handlers.",
        },
        "paused": {"type": "boolean", "description": "Whether no task starts. What runs goes on."},
        "accepting": {
            "type": "boolean",
            "description": "Whether tasks are accepted. Otherwise submitting answers 503.",
        },
    },
    "additionalProperties": False,
}

LANE = {
    "type": ["string", "null"],
    "description": "Name of the argument whose values are lanes; null for a type without lanes.",
}
LIMITS: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "Limits of the type that hold now; null if it has none.",
    "properties": OVERRIDE["properties"]
    | {
        "burst": {
            "type": ["integer", "null"],
            "description": "Starts that may come together after a pause; null without `per_second`.",
        },
        "lane": LANE,
        "paused": {"type": "boolean", "description": "Whether no task starts, as with `at_once` 0."},
        "running": {"type": "integer", "minimum": 0, "description": "Number of tasks of the type that run."},
        "declared": {
            "type": "object",
            "description": "Limits that the function declares.",
            "properties": {name: OVERRIDE["properties"].get(name, LANE) for name in DECLARABLE},
            "additionalProperties": False,
        },
        "override": OVERRIDE
        | {
            "type": ["object", "null"],
            "description": "Limits that were set in place of the declared ones; null if none were.",
        },
    },
    "additionalProperties": False,
}
LIMITS["required"] = [*LIMITS["properties"]]

TYPE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": "Name of the type."},
        "description": {"type": "string", "description": "Docstring of the function."},
        "live": {"type": "boolean", "description": "Whether a live handler can run tasks of this type."},
        "abandoned": {
            "type": "boolean",
            "description": (
                "Whether no live handler can run tasks of this type while others live. Such a type still takes tasks, "
                "has no operation of its own in this document, and is forgotten after `MAX_TASK_TIME` without a task."
            ),
        },
        "oldest_due": time("Earliest `run_at` of the tasks of this type that wait and may start; null if none may"),
        "schema": {"type": "object", "additionalProperties": True, "description": "JSON Schema of the arguments."},
        "result": {
            "type": ["object", "null"],
            "additionalProperties": True,
            "description": "JSON Schema of the results, from the annotation of the function; null if it says nothing.",
        },
        "defaults": {
            "type": "object",
            "description": "Default options of tasks of this type.",
            "properties": {
                "priority": {"type": "integer"},
                "max_attempts": {"type": "integer"},
                "max_losses": {"type": "integer"},
                "timeout": {"type": ["number", "null"]},
                "callback": {"type": ["string", "null"]},
            },
            "required": ["priority", "max_attempts", "max_losses", "timeout", "callback"],
            "additionalProperties": False,
        },
        "schedule": {
            "type": ["object", "null"],
            "description": "Schedule on which tasks of this type are submitted; null if the type has none.",
            "properties": {
                "every": {
                    "type": "string",
                    "description": "Crontab expression with five fields.",
                    "examples": ["0 7 * * 1-5"],
                },
                "timezone": {
                    "type": "string",
                    "description": "Time zone of the schedule.",
                    "examples": ["Europe/Lisbon"],
                },
                "next": {
                    "type": ["integer", "null"],
                    "description": "Next time in Unix seconds; null if no live handler has this schedule.",
                },
                "skipped": {
                    "type": "integer",
                    "description": "Number of ticks that were skipped while the type was paused or accepted no tasks.",
                },
            },
            "required": ["every", "timezone", "next", "skipped"],
            "additionalProperties": False,
        },
        "limits": LIMITS,
    },
    "additionalProperties": False,
}
TYPE["required"] = [*TYPE["properties"]]

TYPES: dict[str, Any] = {
    "type": "object",
    "properties": {
        "types": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/Type"},
            "description": "All known types.",
        }
    },
    "required": ["types"],
    "additionalProperties": False,
}

RUNNING_TASK: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": HEAD["id"],
        "type": HEAD["type"],
        "started": time("Time when the function started") | {"type": "number"},
        "progress": PROGRESS,
    },
    "required": ["id", "type", "started", "progress"],
    "additionalProperties": False,
}

_PROCESS: dict[str, Any] = {
    "id": {"type": "string", "description": "Id of the process. No other process ever has it."},
    "state": {"type": "string", "enum": [state.value for state in Liveness], "description": "State of the process."},
    "host": {"type": ["string", "null"], "description": "Name of its machine or container."},
    "pid": {"type": ["integer", "null"], "description": "Its process id there."},
    "started": time("Time when it started"),
    "last_seen": time("Time of its last sign of life"),
}

_STATES = "`live`: it gives signs of life. `silent`: it does not, so it has died, hangs or is cut off."

HANDLER: dict[str, Any] = {
    "type": "object",
    "description": "A handler. A field is null if a handler of an older version has not told it.",
    "properties": _PROCESS
    | {
        "state": _PROCESS["state"]
        | {"description": f"{_STATES} `draining`: it stops, and lets what it runs finish within its grace."},
        "concurrency": {"type": ["integer", "null"], "description": "Number of functions that it can run at once."},
        "idle": {"type": ["integer", "null"], "description": "How many more it could run now."},
        "types": {"type": "array", "items": {"type": "string"}, "description": "Names of the types that it can run."},
        "running": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/RunningTask"},
            "maxItems": MAX_RUNNING_SHOWN,
            "description": "Tasks that it runs, each in a process of its own, the one that has run longest first.",
        },
        "running_count": {"type": "integer", "minimum": 0, "description": "Number of all tasks that it runs."},
        "claimed_count": {
            "type": "integer",
            "minimum": 0,
            "description": "Number of tasks that it has claimed, so that their status is running, and not started yet.",
        },
    },
    "additionalProperties": False,
}
HANDLER["required"] = [*HANDLER["properties"]]

JANITOR: dict[str, Any] = {
    "type": "object",
    "properties": _PROCESS
    | {
        "state": _PROCESS["state"]
        | {"enum": [Liveness.LIVE.value, Liveness.SILENT.value], "description": f"State of the janitor. {_STATES}"},
        "host": _PROCESS["host"] | {"type": "string"},
        "pid": _PROCESS["pid"] | {"type": "integer"},
        "started": _PROCESS["started"] | {"type": "number"},
        "last_seen": _PROCESS["last_seen"] | {"type": "number"},
    },
    "required": [*_PROCESS],
    "additionalProperties": False,
}

PROCESSES: dict[str, Any] = {
    "type": "object",
    "properties": {
        "handlers": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/Handler"},
            "description": "The handlers. Those that live come first.",
        },
        "janitors": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/Janitor"},
            "description": "The janitors. Those that live come first.",
        },
    },
    "required": ["handlers", "janitors"],
    "additionalProperties": False,
}

_EVENT_DESCRIPTIONS: dict[Event, str] = {
    Event.SUBMITTED: "Tasks that were submitted in each step.",
    Event.STARTED: "Functions that were started.",
    Event.DONE: "Tasks that were done.",
    Event.FAILED: "Tasks that failed for good.",
    Event.CANCELLED: "Tasks that were cancelled.",
    Event.RETRIED: "Tasks that began to wait again, after an attempt that failed or a retry by request.",
    Event.LOST: "Starts that were lost with their handlers.",
}
_DURATIONS = {
    "wait": "that tasks waited beyond their `run_at`, in the step of the start",
    "run": "that functions ran whose tasks were done or failed, in the step of the end",
}


def _by_step(item: dict[str, Any], description: str) -> dict[str, Any]:
    return {"type": "array", "maxItems": MAX_STEPS, "items": item, "description": description}


def _seconds_by_step(description: str) -> dict[str, Any]:
    return _by_step({"type": ["number", "null"]}, f"{description}; null where there were none.")


SERIES: dict[str, Any] = {
    "type": "object",
    "description": "Numbers by step: each list has one for each step of the period.",
    "properties": {
        event.value: _by_step({"type": "integer", "minimum": 0}, description)
        for event, description in _EVENT_DESCRIPTIONS.items()
    }
    | {
        f"{name}_{part}": _seconds_by_step(f"{words} of the seconds {description}")
        for name, description in _DURATIONS.items()
        for part, words in (("median", "Median"), ("p99", "99th percentile"))
    },
    "additionalProperties": False,
}
SERIES["required"] = [*SERIES["properties"]]
SERIES["properties"] |= {
    f"{name}_histograms": _by_step(
        {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}},
        f"Histogram of the seconds {description}: bucket n has those from 2^(n/4) up to 2^((n+1)/4).",
    )
    for name, description in _DURATIONS.items()
}

TYPE_SERIES: dict[str, Any] = SERIES | {
    "description": "Numbers of one type by step.",
    "properties": {"type": HEAD["type"]} | SERIES["properties"],
    "required": ["type", *SERIES["required"]],
}

STATS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "since": {"type": "integer", "description": "Begin of the period and of its first step, in Unix seconds."},
        "until": {"type": "integer", "description": "End of the period and of its last step, in Unix seconds."},
        "step": {"type": "integer", "description": "Seconds of a step."},
        "total": {"$ref": "#/components/schemas/Series"},
        "types": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/TypeSeries"},
            "description": "The types of which there was anything in the period, in the order of their names.",
        },
    },
    "required": ["since", "until", "step", "total", "types"],
    "additionalProperties": False,
}

STATE: dict[str, Any] = {
    "type": "object",
    "properties": {"status": {"type": "string", "description": "State of the service."}},
    "required": ["status"],
    "additionalProperties": False,
}

READINESS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "status": {"type": "string", "description": "State of the service."},
        "problems": {
            "type": "array",
            "description": "What is wrong, with `verbose=1`.",
            "items": {
                "type": "object",
                "properties": {
                    "problem": {"type": "string", "description": "Sentence that says what is wrong."},
                    "cure": {"type": "string", "description": "Sentence that says what mends it."},
                },
                "required": ["problem", "cure"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["status"],
    "additionalProperties": False,
}

SCHEMAS = {
    "Task": TASK,
    "Summary": SUMMARY,
    "TaskState": TASK_STATE,
    "Page": PAGE,
    "Pending": PENDING,
    "Ids": IDS,
    "Counts": COUNTS,
    "Changed": CHANGED,
    "Attempt": ATTEMPT,
    "Log": LOG,
    "Type": TYPE,
    "Types": TYPES,
    "Override": OVERRIDE,
    "RunningTask": RUNNING_TASK,
    "Handler": HANDLER,
    "Janitor": JANITOR,
    "Processes": PROCESSES,
    "Series": SERIES,
    "TypeSeries": TYPE_SERIES,
    "Stats": STATS,
    "State": STATE,
    "Readiness": READINESS,
}
"""Schemas of the answers, by their names in the OpenAPI document."""


class ErrorSchema(Schema):
    """The form of every error."""

    code = fields.Integer(required=True, metadata={"description": "HTTP status code.", "example": 422})
    status = fields.String(
        required=True, metadata={"description": "Name of the status code.", "example": "Unprocessable Entity"}
    )
    message = fields.String(required=True, metadata={"description": "Sentence that says what is wrong."})
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.Dict(keys=fields.String(), values=fields.List(fields.String())),
        metadata={
            "description": "What is wrong in each part of the request: in the `query` by parameter, in the `json` of "
            "the body by path, in the `headers` by name. Or why a `task` has no result: its error by type.",
            "example": {"json": {"$.r0.1": ['it is not of type "number"']}},
        },
    )
