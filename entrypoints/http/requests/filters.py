"""Filters of the operations that list tasks or change many of them."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import starmap
from typing import Any

from marshmallow import ValidationError, fields, pre_load, validates_schema
from marshmallow.validate import Length, OneOf, Range

from application.failure_groups import GROUP, decoded_group
from application.json.search_terms import label_term, owner_term, term
from application.ports.listing import ANY_STATUS, End, Filter, Part
from application.use_cases.list_tasks import ListTasksRequest
from domain.ids import BatchId, TaskId, TypeName
from domain.instants import EPOCH, LATEST
from domain.status import RULES, Status, Verb
from entrypoints.http.access.current import own_tasks_of
from entrypoints.http.requests.parsing import ID, MAX_ID, Number, WholeNumber, WholeText
from entrypoints.http.requests.prefixed import Prefixed, collected
from entrypoints.http.requests.queries import LABEL_PREFIX, StrictSchema, utc_time

DEFAULT_PAGE_TASKS, MAX_PAGE_TASKS = 50, 1_000
MAX_CHANGED_TASKS = 1_000_000
MAX_NAME_CHARACTERS = 200
MAX_ERROR_CHARACTERS = 500
MAX_IDS = 10_000
ARGS_PREFIX = "args."
TIMES = ("created_after", "created_before", "finished_after", "finished_before")
"""The parameters that are times, each named like the member of a filter."""
END = f"[0-9]{{1,18}}-{ID}"
"""The cursor of a page by ends: the microseconds of an end, and an id."""
FINISHED = "finished"
"""The order of ends. The other one is newest first."""
ENDS_OF = frozenset({"ids", "batch"})
"""The filters of whose tasks there is an order of ends."""
NOT_A_CURSOR = "Must be the `next` of an earlier answer."


def _cursor() -> fields.String:
    return fields.String(
        validate=WholeText(rf"^{ID}$", error=NOT_A_CURSOR),
        metadata={"description": "The `next` of the previous answer."},
    )


class Names(fields.String):
    """One or several of these names, joined by commas."""

    def __init__(self, names: Collection[str], **options: Any) -> None:
        one_of = "|".join(sorted(names))
        error = f"Must be {' or '.join(sorted(names))}."
        super().__init__(validate=WholeText(rf"^({one_of})(,({one_of}))*$", error=error), **options)


class CountQuery(StrictSchema):
    """The query of the counts."""

    label = Prefixed(
        LABEL_PREFIX, "Only tasks with this label: `label.user=ana`. Several labels can be given.", "label.user"
    )

    @pre_load
    def collect_prefixed(self, sent: Any, **_: Any) -> dict[str, Any]:
        """Collect the parameters of each prefixed field in one."""
        return collected(sent, self.fields)


def _check_number_of_ids(ids: str) -> None:
    """Raises ValidationError: there are too many."""
    if ids.count(",") >= MAX_IDS:
        raise ValidationError(f"Must be at most {MAX_IDS:,} ids.")


class FilterQuery(CountQuery):
    """The filters. A task must match each of them."""

    status = Names(
        ANY_STATUS,
        metadata={"description": "Only tasks with this status, or one of several: failed,cancelled."},
    )
    type = fields.String(
        # PostgreSQL has no text with a NUL, and no type has such a name.
        validate=[Length(1, MAX_NAME_CHARACTERS), WholeText(r"^[^\x00]+$")],
        metadata={"description": "Only tasks of this type, such as add."},
    )
    created_after = Number(
        validate=Range(0, LATEST.timestamp()),
        metadata={"description": "Only tasks created at this time or later, in Unix seconds, such as 1668797946."},
    )
    created_before = Number(
        validate=Range(0, LATEST.timestamp()),
        metadata={"description": "Only tasks created before this time, in Unix seconds, such as 1668797946."},
    )
    finished_after = Number(
        validate=Range(0, LATEST.timestamp()),
        metadata={"description": "Only tasks that finished at this time or later, in Unix seconds."},
    )
    finished_before = Number(
        validate=Range(0, LATEST.timestamp()),
        metadata={"description": "Only tasks that finished before this time, in Unix seconds."},
    )
    error_type = fields.String(
        validate=Length(1, MAX_NAME_CHARACTERS),
        metadata={"description": "Only failed tasks with an error of this type, such as ValueError, in any case."},
    )
    error = fields.String(
        validate=Length(1, MAX_ERROR_CHARACTERS),
        metadata={
            "description": "Only failed tasks with this text in `ValueError: the message` of their error, in any case."
        },
    )
    error_group = fields.String(
        validate=WholeText(f"^{GROUP}$", error="Must be the number of a failure group."),
        metadata={"description": "Only the tasks of one failure group, by its number in an address of the dashboard."},
    )
    ids = fields.String(
        validate=[WholeText(rf"^{ID}(,{ID})*$", error="Must be ids, as in 5,7."), _check_number_of_ids],
        metadata={
            "description": f"Only tasks with one of these ids, as in 5,7. At most {MAX_IDS:,}, in an address of at "
            "most 64 KiB."
        },
    )
    batch = WholeNumber(
        validate=Range(1, MAX_ID), metadata={"description": "Only tasks of this batch, by its id, such as 7."}
    )
    args = Prefixed(
        ARGS_PREFIX,
        "Only tasks with this argument: `args.n=5`, or `args.to.city=Oslo` for a member of an object. Several "
        "arguments can be given. The value is the text of a string, or the JSON text of a number, true, false or null. "
        "Members of lists, and values after the first 50 of a task, are not searched.",
        "args.n",
    )
    cursor = _cursor()


class ContinuedQuery(StrictSchema):
    """The query of a request that may continue another one."""

    cursor = _cursor()


class SearchQuery(FilterQuery):
    """The query of a page of the dashboard."""

    limit = WholeNumber(
        validate=Range(1, MAX_PAGE_TASKS),
        metadata={"description": "Maximum number of tasks in the answer.", "default": DEFAULT_PAGE_TASKS},
    )


class EventsQuery(FilterQuery):
    """The query of a stream of the events of many tasks."""

    class Meta:
        exclude = ("cursor",)

    include = fields.String(
        validate=WholeText("^task$", error="Must be task."),
        metadata={"description": "With `task`, each event has the whole task, arguments and result included."},
    )


class ListQuery(SearchQuery):
    """The query of a list of tasks."""

    include = Names(
        [*Part],
        metadata={"description": "The texts that each task has in the answer: result, args, or both: args,result."},
    )
    order = fields.String(
        validate=OneOf([FINISHED], error=f"Must be {FINISHED}."),
        metadata={
            "description": f"`{FINISHED}` lists the tasks of `ids` or of a `batch` that have finished, in the order of "
            "their ends. Without it, the newest tasks come first."
        },
    )
    cursor = fields.String(
        validate=WholeText(rf"^({END}|{ID})$", error=NOT_A_CURSOR),
        metadata={"description": "The `next` of the previous answer."},
    )

    @validates_schema
    def check_order(self, data: dict[str, Any], **_: Any) -> None:
        """Raises ValidationError: the order of ends lacks a filter that has it, or the cursor is of another order."""
        if "order" in data and data.keys().isdisjoint(ENDS_OF):
            raise ValidationError("Must come with ids or batch: no others are listed by their ends.", "order")
        if "cursor" in data and ("order" in data) != ("-" in data["cursor"]):
            raise ValidationError(NOT_A_CURSOR, "cursor")


def _status_filter(verb: Verb) -> Names:
    allowed = RULES[verb]
    default = ",".join(sorted(allowed))
    return Names(allowed, metadata={"description": f"Only tasks with one of these statuses. The default is {default}."})


class ChangeQuery(FilterQuery):
    """The query of an operation that changes many tasks."""

    limit = WholeNumber(
        validate=Range(1, MAX_CHANGED_TASKS),
        metadata={"description": "Maximum number of tasks to change. The default is no limit."},
    )


class CancelQuery(ChangeQuery):
    """The query of cancelling."""

    status = _status_filter(Verb.CANCEL)


class RetryQuery(ChangeQuery):
    """The query of retrying."""

    status = _status_filter(Verb.RETRY)


class DeleteQuery(ChangeQuery):
    """The query of deleting."""

    status = _status_filter(Verb.DELETE)


def task_filter(query: dict[str, Any]) -> Filter:
    """Make the filter of a query, which finds no task that the sender of the request does not see."""
    type, group, ids = query.get("type"), query.get("error_group"), query.get("ids")
    return Filter(
        statuses=frozenset(map(Status, query["status"].split(","))) if "status" in query else ANY_STATUS,
        type=type and TypeName(type),
        terms=frozenset(_terms(query)),
        error_type=query.get("error_type"),
        error=query.get("error"),
        failure_group=None if group is None else decoded_group(group),
        ids=None if ids is None else frozenset(TaskId(int(id)) for id in ids.split(",")),
        batch=BatchId(query["batch"]) if "batch" in query else None,
        created_after=_time(query, "created_after"),
        created_before=_time(query, "created_before"),
        finished_after=_time(query, "finished_after"),
        finished_before=_time(query, "finished_before"),
    )


def _terms(query: dict[str, Any]) -> Iterator[int]:
    """Yield the terms that a task must have: those of the query, and where its sender sees only its own, its owner."""
    yield from starmap(term, query.get("args", {}).items())
    yield from starmap(label_term, query.get("label", {}).items())
    if owner := own_tasks_of():
        yield owner_term(owner)


def _time(query: dict[str, Any], name: str) -> datetime | None:
    return utc_time(query[name]) if name in query else None


def list_request(query: dict[str, Any], limit: int) -> ListTasksRequest:
    """Make the request of the use case, with this limit, from the query of a list."""
    by_end = query.get("order") == FINISHED
    return ListTasksRequest(
        filter=task_filter(query),
        before=None if by_end else decoded_cursor(query),
        by_end=by_end,
        after=_decoded_end(query["cursor"]) if by_end and "cursor" in query else None,
        include=frozenset(map(Part, query["include"].split(","))) if "include" in query else frozenset(),
        limit=limit,
    )


def decoded_cursor(query: dict[str, Any]) -> TaskId | None:
    """Decode the cursor of a query: the id of the last task of the previous answer."""
    return TaskId(int(query["cursor"])) if "cursor" in query else None


def encoded_cursor(last: int | End | None) -> str:
    """Encode the last task or batch of an answer as a JSON cursor."""
    if isinstance(last, End):
        return f'"{(last.finished - EPOCH) // timedelta.resolution}-{last.id}"'
    return "null" if last is None else f'"{last}"'


def _decoded_end(cursor: str) -> End:
    microseconds, id = map(int, cursor.split("-"))
    return End(EPOCH + min(timedelta(microseconds=microseconds), LATEST - EPOCH), TaskId(id))
