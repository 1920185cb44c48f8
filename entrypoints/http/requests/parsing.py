"""Strict parsing of paths and queries: a repeated or unknown parameter is refused."""

import re
from typing import Any

from flask import Request
from marshmallow import RAISE, Schema, ValidationError, fields
from marshmallow.validate import Regexp
from webargs.flaskparser import FlaskParser
from werkzeug.routing import BaseConverter

from application.errors import UnknownBatch, UnknownTask
from domain.ids import BatchId, TaskId

MAX_ID = 2**63 - 1
ID = "[1-9][0-9]{0,17}"
"""The pattern of an id in a query."""

_ID = re.compile(r"[1-9][0-9]{0,18}")
_NUMBER = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][-+]?[0-9]{1,3})?")
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,20}")


def task_id(text: str) -> TaskId:
    """Parse a task id, without a query to the database. Raises UnknownTask: no task can have this id."""
    if not _ID.fullmatch(text) or int(text) > MAX_ID:
        raise UnknownTask(text)
    return TaskId(int(text))


def batch_id(text: str) -> BatchId:
    """Parse a batch id, without a query to the database. Raises UnknownBatch: no batch can have this id."""
    if not _ID.fullmatch(text) or int(text) > MAX_ID:
        raise UnknownBatch(text)
    return BatchId(int(text))


class TaskPath(BaseConverter):
    """A path segment that may be a task id. `new` is not one: /task/new is a path with methods of its own."""

    regex = "(?!new$)[^/]+"
    part_isolating = True


class QueryParser(FlaskParser):
    """Parser of queries that refuses unknown and repeated parameters."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {"query": RAISE}  # noqa: RUF012

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        repeated = {name: ["Must be given only once."] for name, values in req.args.lists() if len(values) > 1}
        if repeated:
            raise ValidationError(repeated)
        return super().load_querystring(req, schema)


class WholeText(Regexp):
    """A pattern that the whole text has to match; a `$` also matches before a line break at the end."""

    def __call__(self, value: Any) -> Any:
        if not self.regex.fullmatch(value):
            raise ValidationError(self._format_error(value))
        return value


class Number(fields.Float):
    """A finite number in the syntax of JSON; `float` accepts `1_0`, `nan` and digits beyond ASCII as well."""

    def _validated(self, value: str) -> float:
        if not _NUMBER.fullmatch(value):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class WholeNumber(fields.Integer):
    """A whole number in ASCII digits."""

    def _validated(self, value: str) -> int:
        if not _WHOLE_NUMBER.fullmatch(value):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)
