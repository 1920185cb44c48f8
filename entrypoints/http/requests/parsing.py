"""Addresses are read strictly: of queries, what is unknown or stands twice is refused."""

import re
from typing import Any

from flask import Request
from marshmallow import RAISE, Schema, ValidationError, fields
from webargs.flaskparser import FlaskParser
from werkzeug.routing import BaseConverter

from application.errors import UnknownTask
from domain.ids import TaskId

MAX_ID = 2**63 - 1

_ID = re.compile(r"[1-9][0-9]{0,18}")
_NUMBER = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][-+]?[0-9]{1,3})?")
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,20}")


def task_id(text: str) -> TaskId:
    """The id that the text is. UnknownTask where no task can have it, so that the database is not asked."""
    if not _ID.fullmatch(text) or int(text) > MAX_ID:
        raise UnknownTask(text)
    return TaskId(int(text))


class TaskPath(BaseConverter):
    """Whatever stands where an id is asked for, but `new`: that is another address, which takes other methods."""

    regex = "(?!new$)[^/]+"
    part_isolating = True


class QueryParser(FlaskParser):
    """Gives the parameters of a query that were sent, by name."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {"query": RAISE}  # noqa: RUF012

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        twice = {name: ["It must be given only once."] for name, values in req.args.lists() if len(values) > 1}
        if twice:
            raise ValidationError(twice)
        return super().load_querystring(req, schema)


class Number(fields.Float):
    """A finite number as JSON writes it; `float` would take `1_0`, `nan` and other digits than ASCII's."""

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
