"""JSON Schemas of the answers about batches."""

from typing import Any

from application.use_cases.view_batch import MAX_FAILURES
from domain.batch import BatchCount
from domain.delivery import DeliveryState
from entrypoints.http.openapi.schemas import ERROR_OF_ATTEMPT, HEAD, second, time
from entrypoints.task_json import UNFINISHED

THEN: dict[str, Any] = {
    "type": ["integer", "null"],
    "description": "Id of the task that starts once the batch has finished; null if none does.",
}
_BATCH: dict[str, Any] = {
    "id": {"type": "integer", "minimum": 1, "description": "Id of the batch. Later batches have higher ids."},
    "name": {"type": ["string", "null"], "description": "Name of the batch, for people."},
    "labels": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "Labels of the batch, texts by name.",
    },
    "open": {"type": "boolean", "description": "Whether tasks can be added."},
    "created": second("Time of creation"),
    "expire": second("Time from which the batch is deleted, once it has finished and no task of it is left"),
    "finished": time("Time when the last of its tasks had finished; null before"),
    "total": {"type": "integer", "minimum": 0, "description": "Number of its tasks, deleted ones included."},
    "counts": {
        "type": "object",
        "description": "Number of its tasks by status. Deleted and expired tasks count as `deleted`.",
        "properties": {status.value: {"type": "integer", "minimum": 0} for status in BatchCount},
        "required": [status.value for status in BatchCount],
        "additionalProperties": False,
    },
    "progress": {
        "type": "object",
        "description": "Finished share of its tasks.",
        "properties": {
            "value": {"type": "number", "description": "Finished share, from 0 to 1."},
            "message": {"type": "string", "description": "Number of finished tasks of all.", "examples": ["3 of 4"]},
        },
        "required": ["value", "message"],
        "additionalProperties": False,
    },
    "then": THEN,
    "callback": {
        "type": ["object", "null"],
        "description": "Address and state of the callback; null if the batch has none.",
        "properties": {
            "url": {"type": "string", "description": "Address that is called."},
            "state": {"type": "string", "enum": [UNFINISHED, *(state.value for state in DeliveryState)]},
            "attempts": {"type": "integer", "minimum": 0, "description": "Number of calls so far."},
            "next": time("Time of the next call"),
            "error": {"type": ["string", "null"], "description": "Failure of the last call."},
        },
        "required": ["url", "state", "attempts", "next", "error"],
        "additionalProperties": False,
    },
}

BATCH_SUMMARY: dict[str, Any] = {
    "type": "object",
    "description": "A batch in a list.",
    "properties": _BATCH,
    "required": [*_BATCH],
    "additionalProperties": False,
}

BATCH: dict[str, Any] = {
    "type": "object",
    "description": "A batch: tasks that were submitted together.",
    "properties": _BATCH
    | {
        "failures": {
            "type": "array",
            "description": f"The first {MAX_FAILURES} of its tasks that have failed.",
            "items": {
                "type": "object",
                "properties": {"id": HEAD["id"], "type": HEAD["type"], "error": ERROR_OF_ATTEMPT},
                "required": ["id", "type", "error"],
                "additionalProperties": False,
            },
        }
    },
    "required": [*_BATCH, "failures"],
    "additionalProperties": False,
}

BATCH_PAGE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "batches": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/BatchSummary"},
            "description": "The batches, newest first.",
        },
        "next": {"type": ["string", "null"], "description": "The `cursor` of the next page; null on the last page."},
    },
    "required": ["batches", "next"],
    "additionalProperties": False,
}

BATCH_IDS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": _BATCH["id"],
        "ids": {
            "type": "array",
            "items": {"type": "integer", "minimum": 1},
            "description": "Ids of the tasks, in the order of the request.",
        },
        "then": THEN,
    },
    "required": ["id", "ids", "then"],
    "additionalProperties": False,
}

BATCH_SCHEMAS = {
    "Batch": BATCH,
    "BatchSummary": BATCH_SUMMARY,
    "BatchPage": BATCH_PAGE,
    "BatchIds": BATCH_IDS,
}
"""Schemas of the answers, by their names in the OpenAPI document."""

BATCH_EXAMPLE: dict[str, Any] = {
    "id": 7,
    "name": "sweep of drag",
    "labels": {"user": "ana"},
    "open": False,
    "created": 1668797946,
    "expire": 1668884346,
    "finished": None,
    "total": 4,
    "counts": {"waiting": 1, "running": 0, "done": 2, "failed": 1, "cancelled": 0, "deleted": 0},
    "progress": {"value": 0.75, "message": "3 of 4"},
    "then": 194,
    "callback": None,
    "failures": [
        {
            "id": 193,
            "type": "default",
            "error": {"type": "ValueError", "message": "the radius is negative", "attempt": 1},
        }
    ],
}
SUMMARY_EXAMPLE = {name: value for name, value in BATCH_EXAMPLE.items() if name != "failures"}
