"""The filters of a page as its address or a form gives them: for the search, for the form, and for other addresses."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from application.ports.listing import Filter
from entrypoints.http.requests.filters import ARGS_PREFIX, TIMES, ListQuery, task_filter

QUERY = ListQuery()
ARGUMENTS = "arguments"
"""The field of a form that has all arguments, as in `n=5 to.city=Oslo "a b"="c d"`."""
NOT_ARGUMENTS = "Must be names with values, as in n=5 to.city=Oslo, and in quotes where there are spaces."
NO_TIME = "Must be a date with a time, as in 2026-11-30T12:00, or Unix seconds."
REPEATED = ("status", "id")
"""The fields that checkboxes repeat. An address has their values joined by commas."""
LABELS = {
    "id": "Id",
    "status": "Status",
    "type": "Type",
    "created_after": "Created from",
    "created_before": "Created before",
    "finished_after": "Finished from",
    "finished_before": "Finished before",
    "error_type": "Error type",
    "error": "Error",
    "error_group": "Failure group",
}
_WORD = r'"(?:[^"\\]|\\.)*"'
_ARGUMENT = re.compile(rf'\s*({_WORD}|[^\s="]+)=({_WORD}|[^\s"]\S*|)(?=\s|\Z)')
_NEEDS_QUOTES = re.compile(r'[\s="\\]|[^ -~]')


@dataclass(frozen=True, slots=True)
class GivenFilters:
    """Filters, all of which are right if there are no `errors`.

    - `query`: the parameters, as an address has them.
    - `fields`: the values of the fields of a form, right or wrong.
    - `errors`: sentences by the field that is wrong.
    - `loaded`: the values of the query; empty if there are errors.
    """

    query: Mapping[str, str]
    fields: Mapping[str, str]
    errors: Mapping[str, Sequence[str]]
    loaded: dict[str, Any]

    @property
    def filter(self) -> Filter:
        """The filter of the use cases."""
        return task_filter(self.loaded)

    @property
    def named(self) -> Sequence[tuple[str, str]]:
        """The filters as a person reads them: names with values."""
        return [(_label(name), _readable(name, value)) for name, value in self.query.items() if name != "cursor"]

    @property
    def without_cursor(self) -> Mapping[str, str]:
        """The parameters but for the place in the list."""
        return {name: value for name, value in self.query.items() if name != "cursor"}


def given_filters(values: MultiDict[str, str], own: Sequence[str] = ()) -> GivenFilters:
    """Read the filters. A field that was left empty is no filter. `own`: parameters that are no filters."""
    query = {name: _text(name, values) for name in values if name not in (*own, ARGUMENTS)}
    query = {name: value for name, value in query.items() if value}
    typed = values.get(ARGUMENTS, "").strip()
    errors: dict[str, Sequence[str]] = {}
    try:
        query |= {f"{ARGS_PREFIX}{name}": value for name, value in _arguments(typed)}
    except ValidationError:
        errors[ARGUMENTS] = [NOT_ARGUMENTS]
    try:
        loaded = QUERY.load(query)
    except ValidationError as error:
        errors |= _by_field(error.messages_dict)
    args = [_written(name.removeprefix(ARGS_PREFIX), query[name]) for name in query if name.startswith(ARGS_PREFIX)]
    shown = {ARGUMENTS: typed if ARGUMENTS in errors else " ".join(args)}
    return GivenFilters(
        query, {name: _shown(name, query[name]) for name in query} | shown, errors, {} if errors else loaded
    )


def are_arguments(text: str) -> bool:
    """Whether a text names arguments with values."""
    try:
        return bool(list(_arguments(text)))
    except ValidationError:
        return False


def _arguments(text: str) -> Iterator[tuple[str, str]]:
    """The names and values of arguments. Raises ValidationError: the text is something else."""
    at = 0
    while at < len(text.rstrip()):
        found = _ARGUMENT.match(text, at)
        if not found:
            raise ValidationError(NOT_ARGUMENTS, ARGUMENTS)
        yield _unquoted(found[1]).removeprefix(ARGS_PREFIX), _unquoted(found[2])
        at = found.end()


def _unquoted(word: str) -> str:
    if not word.startswith('"'):
        return word
    try:
        return str(json.loads(word, strict=False))
    except ValueError:
        raise ValidationError(NOT_ARGUMENTS, ARGUMENTS) from None


def _written(name: str, value: str) -> str:
    return "=".join(json.dumps(word) if _NEEDS_QUOTES.search(word) else word for word in (name, value))


def _text(name: str, values: MultiDict[str, str]) -> str:
    given = [value for value in values.getlist(name) if value]
    if name in TIMES:
        return _unix_seconds(given[0]) if given else ""
    return ",".join(given) if name in REPEATED else given[0] if given else ""


def _unix_seconds(text: str) -> str:
    """The seconds of a date and time, which is in UTC unless it says otherwise; any other text as it is."""
    try:
        moment = datetime.fromisoformat(text if "T" in text else "")
        return f"{(moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp():.3f}".removesuffix(".000")
    except (ValueError, OverflowError):
        return text


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _shown(name: str, value: str) -> str:
    """The value as its field has it."""
    moment = _moment(value) if name in TIMES else None
    return value if moment is None else f"{moment:%Y-%m-%dT%H:%M:%S}"


def _readable(name: str, value: str) -> str:
    moment = _moment(value) if name in TIMES else None
    return value.replace(",", ", ") if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _label(name: str) -> str:
    return LABELS.get(name, f"Argument {name.removeprefix(ARGS_PREFIX)}")


def _by_field(messages: Any) -> dict[str, Sequence[str]]:
    return {
        ARGUMENTS if name.startswith(ARGS_PREFIX) else name: [NO_TIME] if name in TIMES else sentences
        for name, sentences in messages.items()
    }
