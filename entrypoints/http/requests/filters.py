"""Which tasks a query asks for: the filters that lists share with what is done to many at once."""

from typing import Any

from marshmallow import ValidationError, fields, pre_load
from marshmallow.validate import Length, OneOf, Range, Regexp

from application.ports.listing import ANY_STATUS, Filter
from domain.ids import TaskId, TypeName
from domain.instants import LATEST
from domain.search_terms import term
from domain.status import RULES, Status, Verb
from entrypoints.http.requests.parsing import Number, WholeNumber
from entrypoints.http.requests.queries import StrictSchema, moment

DEFAULT_PAGE_TASKS, MAX_PAGE_TASKS = 50, 1_000
MAX_CHANGED_TASKS = 1_000_000
MAX_NAME_CHARACTERS = 200
ARGS = "args."


class ArgumentFilters(fields.Dict):
    """What is asked of arguments, by their paths: parameters of their own, whose names OpenAPI can only describe."""


class FilterQuery(StrictSchema):
    """All that is asked for has to hold of a task."""

    status = fields.String(
        validate=OneOf([status.value for status in Status]), metadata={"description": "Only those that stand so."}
    )
    type = fields.String(
        # What has a NUL in it is no name, and PostgreSQL has no text for it.
        validate=[Length(1, MAX_NAME_CHARACTERS), Regexp(r"^[^\x00]+$")],
        metadata={"description": "Only those of this type, such as add."},
    )
    created_after = Number(
        validate=Range(0, LATEST.timestamp()),
        metadata={"description": "Only those created then or later, in Unix seconds, such as 1668797946."},
    )
    created_before = Number(
        validate=Range(0, LATEST.timestamp()),
        metadata={"description": "Only those created before then, and not at that moment, in Unix seconds."},
    )
    args = ArgumentFilters(
        data_key=f"{ARGS}*",
        metadata={
            "description": "Only those with this argument: `args.n=5`, `args.to.city=Oslo` for a member of an object, "
            "as many as you like. The value is that of a string, or the JSON text of a number, true, false or null. "
            "Members of lists, and what comes after the first 50 arguments, are not searched.",
            "additionalProperties": {"type": "string"},
            "allOf": [{"propertyNames": {"pattern": r"^args\..+$"}}],
            # Without one Swagger UI would make some up, and send it unasked.
            "default": {},
        },
    )
    cursor = fields.String(
        validate=Regexp(r"^[1-9][0-9]{0,17}$", error="It must be the `next` of an earlier answer."),
        metadata={"description": "Where to go on: the `next` of the answer before."},
    )

    @pre_load
    def gather(self, sent: Any, **_: Any) -> dict[str, Any]:
        """The parameters that ask for arguments, as one. ValidationError for one that names none."""
        args = {name.removeprefix(ARGS): sent[name] for name in sent if name.startswith(ARGS)}
        if "" in args:
            raise ValidationError("It must name an argument, as in args.n.", ARGS)
        others = {name: sent[name] for name in sent if not name.startswith(ARGS)}
        return others | {f"{ARGS}*": args} if args else others


class ListQuery(FilterQuery):
    """Which tasks to list."""

    limit = WholeNumber(
        validate=Range(1, MAX_PAGE_TASKS),
        metadata={"description": "How many at most.", "default": DEFAULT_PAGE_TASKS},
    )


def _standing(verb: Verb) -> fields.String:
    allowed = sorted(RULES[verb])
    return fields.String(
        validate=OneOf(allowed, error=f"It must be {' or '.join(allowed)}."),
        metadata={"description": f"Only those that stand so. The default is {' and '.join(allowed)}."},
    )


class ChangeQuery(FilterQuery):
    """Which tasks to change."""

    limit = WholeNumber(
        validate=Range(1, MAX_CHANGED_TASKS),
        metadata={"description": "How many are changed at most. The default is all."},
    )


class CancelQuery(ChangeQuery):
    """Which tasks to cancel."""

    status = _standing(Verb.CANCEL)


class RetryQuery(ChangeQuery):
    """Which tasks to retry."""

    status = _standing(Verb.RETRY)


def task_filter(query: dict[str, Any]) -> Filter:
    """What such a query asks for."""
    after, before, type = query.get("created_after"), query.get("created_before"), query.get("type")
    return Filter(
        statuses=frozenset({Status(query["status"])}) if "status" in query else ANY_STATUS,
        type=type and TypeName(type),
        created_after=None if after is None else moment(after),
        created_before=None if before is None else moment(before),
        terms=frozenset(term(path, value) for path, value in query.get("args", {}).items()),
    )


def decoded_cursor(query: dict[str, Any]) -> TaskId | None:
    """Where such a query goes on."""
    return TaskId(int(query["cursor"])) if "cursor" in query else None


def encoded_cursor(last: TaskId | None) -> str:
    """How the answer says where to go on, as JSON."""
    return "null" if last is None else f'"{last}"'
