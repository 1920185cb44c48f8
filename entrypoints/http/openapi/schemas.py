"""The JSON Schemas of what the API answers. They describe; nothing is built with them."""

from typing import Any

from marshmallow import Schema, fields

from application.ports.task_repository import MAX_ATTEMPTS_SHOWN
from domain.delivery import DeliveryState
from domain.settlement import Outcome
from domain.status import Status
from domain.waiting import WaitingFor
from entrypoints.task_json import UNFINISHED


def _moment(of: str) -> dict[str, Any]:
    return {"type": ["number", "null"], "description": f"{of}, in Unix seconds with milliseconds."}


def _second(of: str) -> dict[str, Any]:
    return {"type": "integer", "description": f"{of}, in whole Unix seconds."}


ERROR_OF_ATTEMPT: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "What went wrong in the last attempt.",
    "properties": {
        "type": {"type": "string", "description": "The name of the exception.", "examples": ["ValueError"]},
        "message": {"type": "string"},
        "attempt": {"type": "integer", "minimum": 0},
    },
    "required": ["type", "message", "attempt"],
    "additionalProperties": False,
}

PROGRESS: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "How far it is, as the function says.",
    "properties": {
        "value": {"type": "number", "description": "A share between 0 and 1.", "examples": [0.4]},
        "message": {"type": "string", "examples": ["reading"]},
    },
    "required": ["value", "message"],
    "additionalProperties": False,
}

_HEAD: dict[str, Any] = {
    "id": {"type": "integer", "minimum": 1, "description": "Rises in the order of submitting."},
    "type": {"type": "string", "description": "Which function runs it."},
    "status": {"type": "string", "enum": [status.value for status in Status]},
}

_TEXTS: dict[str, Any] = {
    "args": {"type": "object", "description": "The arguments, whole and as they were sent."},
    "result": {"description": "What the function returned; null until then."},
}

_TAIL: dict[str, Any] = {
    "error": ERROR_OF_ATTEMPT,
    "progress": PROGRESS,
    "created": _second("When it was submitted"),
    "expire": _second("When it is deleted, unless it runs then"),
    "run_at": _moment("Before this it does not start") | {"type": "number"},
    "started": _moment("When the present or last start began"),
    "finished": _moment("When it ended"),
    "attempt": {"type": "integer", "minimum": 0, "description": "How many of its starts have counted."},
    "max_attempts": {"type": "integer", "minimum": 1, "description": "How often it may start through its own fault."},
    "priority": {"type": "integer", "minimum": -100, "maximum": 100, "description": "Higher starts first."},
    "handler": {"type": ["string", "null"], "description": "Who runs it."},
    "waiting_for": {
        "type": ["string", "null"],
        "enum": [*(reason.value for reason in WaitingFor), None],
        "description": "Why it waits; null if it does not.",
    },
}

# An argument may be called so too, where there is no callback: then it is whatever was sent.
CALLBACK: dict[str, Any] = {
    "description": "Only where one was asked for: the address, and how far it has been told.",
    "examples": [
        {
            "url": "https://example.org/told",
            "state": state,
            "attempts": 0,
            "next": None,
            "error": None,
        }
        for state in (UNFINISHED, *DeliveryState)
    ],
}

SUMMARY: dict[str, Any] = {
    "type": "object",
    "description": "A task without its arguments and its result.",
    "properties": _HEAD | _TAIL,
    "required": [*_HEAD, *_TAIL],
    "additionalProperties": False,
}

TASK: dict[str, Any] = {
    "type": "object",
    "description": "A task. Every argument stands again at the top level, unless its name is that of a field.",
    "properties": _HEAD | _TEXTS | _TAIL | {"callback": CALLBACK},
    "required": [*_HEAD, *_TEXTS, *_TAIL],
    "additionalProperties": True,
}

PAGE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "tasks": {"type": "array", "items": {"$ref": "#/components/schemas/Summary"}},
        "next": {"type": ["string", "null"], "description": "The `cursor` of the next page; null on the last one."},
    },
    "required": ["tasks", "next"],
    "additionalProperties": False,
}

IDS: dict[str, Any] = {
    "type": "object",
    "properties": {"ids": {"type": "array", "items": {"type": "integer", "minimum": 1}}},
    "required": ["ids"],
    "additionalProperties": False,
}

COUNTS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "counts": {
            "type": "object",
            "description": "By type, then by status; none of those of which there are none.",
            "additionalProperties": {
                "type": "object",
                "propertyNames": {"enum": [status.value for status in Status]},
                "additionalProperties": {"type": "integer", "minimum": 1},
            },
        }
    },
    "required": ["counts"],
    "additionalProperties": False,
}

CHANGED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "count": {"type": "integer", "minimum": 0, "description": "How many were changed."},
        "next": {
            "type": ["string", "null"],
            "description": "The `cursor` to go on with; null where nothing is left.",
        },
    },
    "required": ["count", "next"],
    "additionalProperties": False,
}

ATTEMPT: dict[str, Any] = {
    "type": "object",
    "description": "A start that failed, was lost or printed something.",
    "properties": {
        "claim": {"type": "integer", "minimum": 1, "description": "Which start of the task it was, counting all."},
        "attempt": {"type": "integer", "minimum": 0, "description": "Which of those that count."},
        "outcome": {"type": "string", "enum": [outcome.value for outcome in Outcome]},
        "started": _moment("When its function began"),
        "ended": _moment("When it ended") | {"type": "number"},
        "error": {"type": ["string", "null"], "description": "What went wrong."},
        "traceback": {"type": ["string", "null"], "description": "Where."},
        "log": {"type": "string", "description": "The last that it printed; it begins with … if there was more."},
    },
    "required": ["claim", "attempt", "outcome", "started", "ended", "error", "traceback", "log"],
    "additionalProperties": False,
}

LOG: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "attempts": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/Attempt"},
            "maxItems": MAX_ATTEMPTS_SHOWN,
        },
    },
    "required": ["id", "attempts"],
    "additionalProperties": False,
}

TYPE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "description": {"type": "string"},
        "live": {"type": "boolean", "description": "Whether a handler is there that can run it."},
        "schema": {"type": "object", "description": "The JSON Schema that arguments are checked against."},
        "defaults": {
            "type": "object",
            "description": "The options of its tasks where none are given.",
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
            "description": "When a task of it is made without anybody asking; null for never.",
            "properties": {
                "every": {"type": "string", "description": "Five fields of a crontab.", "examples": ["0 7 * * 1-5"]},
                "timezone": {"type": "string", "examples": ["Europe/Lisbon"]},
                "next": {
                    "type": ["integer", "null"],
                    "description": "The next time, in Unix seconds; null if no handler has it any more.",
                },
            },
            "required": ["every", "timezone", "next"],
            "additionalProperties": False,
        },
    },
    "required": ["name", "description", "live", "schema", "defaults", "schedule"],
    "additionalProperties": False,
}

TYPES: dict[str, Any] = {
    "type": "object",
    "properties": {"types": {"type": "array", "items": {"$ref": "#/components/schemas/Type"}}},
    "required": ["types"],
    "additionalProperties": False,
}

STATE: dict[str, Any] = {
    "type": "object",
    "properties": {"status": {"type": "string"}},
    "required": ["status"],
    "additionalProperties": False,
}

SCHEMAS = {
    "Task": TASK,
    "Summary": SUMMARY,
    "Page": PAGE,
    "Ids": IDS,
    "Counts": COUNTS,
    "Changed": CHANGED,
    "Attempt": ATTEMPT,
    "Log": LOG,
    "Type": TYPE,
    "Types": TYPES,
    "State": STATE,
}
"""By the name that the document has for each."""


class ErrorSchema(Schema):
    """What every error looks like."""

    code = fields.Integer(required=True, metadata={"description": "The HTTP status code.", "example": 422})
    status = fields.String(required=True, metadata={"description": "Its name.", "example": "Unprocessable Entity"})
    message = fields.String(required=True, metadata={"description": "A sentence that says what is wrong."})
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.Dict(keys=fields.String(), values=fields.List(fields.String())),
        metadata={
            "description": "What is wrong in the `query`, by parameter, or in the `json` of the body, by path.",
            "example": {"json": {"$.r0.1": ['it is not of type "number"']}},
        },
    )
