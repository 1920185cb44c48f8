"""Route that submits many tasks, all or none: POST /tasks."""

import json
from contextlib import ExitStack

from flask import Response

from entrypoints.http.access.needs import SUBMIT
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.bulkhead import Bulkhead
from entrypoints.http.limits.concurrency import suspended
from entrypoints.http.limits.reception import Receptions
from entrypoints.http.openapi.describe import CLOSED, LATE_BODY, UNSUPPORTED_BODY, error_responses, response
from entrypoints.http.requests.body import body, json_items
from entrypoints.http.requests.idempotency_key import KEY_HEADER, idempotency_key_of_request
from entrypoints.http.responses.json_response import JSON, json_response
from entrypoints.http.routes.items import (
    ITEM,
    MAX_BODIES_PROCESSED,
    MAX_BODIES_RECEIVED,
    MAX_BYTES,
    MAX_PROCESSING_WAIT_SECONDS,
    MAX_TASKS,
    item_parser,
    up_to,
)
from entrypoints.http.services import Services

BODY = {
    "required": True,
    "content": {
        JSON: {
            "schema": {"type": "array", "maxItems": MAX_TASKS, "items": ITEM},
            "example": [
                {"type": "default", "args": {"required_arg": "one"}, "ref": "first"},
                {
                    "args": {"required_arg": "two"},
                    "priority": 5,
                    "idempotency_key": "order-7",
                    "labels": {"user": "ana"},
                },
                {"args": {"required_arg": "three"}, "after": ["first"], "if_failed": "run"},
            ],
        }
    },
}
BATCH_KEY = KEY_HEADER | {
    "description": "A text that the client chooses, such as a UUID. A request with the key of an earlier one and the "
    "same items is answered with the ids of the earlier one. The key holds for each item that has no "
    "`idempotency_key` of its own, as long as its task exists."
}
CREATED = (
    response(200, "The tasks of an earlier request with the same idempotency key.", "Ids", {"ids": [192, 193]})
    | response(201, "All tasks were created.", "Ids", {"ids": [192, 193]})
    | error_responses(
        {
            400: "The body is not JSON.",
            408: LATE_BODY,
            413: f"The body is longer than {MAX_BYTES} bytes.",
            415: UNSUPPORTED_BODY,
            422: "Some tasks cannot be submitted, so no task was created; `errors` names each of them by its index. "
            "Or the idempotency key belongs to another batch.",
            503: CLOSED,
        }
    )
)


def add_submit_many(tasks: Blueprint, services: Services) -> None:
    """Add the route."""
    submit, settings = services.submit_tasks(), services.settings()
    parse = item_parser(services.checker())
    receptions = Receptions(MAX_BODIES_RECEIVED)
    processing = Bulkhead(
        MAX_BODIES_PROCESSED, "another request is submitting many tasks: try again", MAX_PROCESSING_WAIT_SECONDS
    )

    @tasks.operation("POST", "/tasks", needs=SUBMIT, headers=[BATCH_KEY], requestBody=BODY, responses=CREATED)
    def submit_many() -> Response:
        """Submit many tasks

        The request creates all tasks or none. The body has up to 10,000 items and 32 MiB. The ids are in the order of
        the items. An item with the `idempotency_key`, type and arguments of an existing task gets the id of that task.
        With an `Idempotency-Key` the whole request can be repeated.
        """
        with ExitStack() as slots:
            with suspended():
                text = body(slots.enter_context(receptions.place()).read, MAX_BYTES)
                slots.enter_context(processing)
            items = map(parse, up_to(MAX_TASKS, json_items(text, settings.max_body)))
            key = idempotency_key_of_request()
            submitted = submit(items, key)
        is_repeated = key and submitted.ids and not submitted.has_new
        text = f'{{"ids":{json.dumps(submitted.ids, separators=(",", ":"))}}}'
        return json_response(text, 200 if is_repeated else 201)
