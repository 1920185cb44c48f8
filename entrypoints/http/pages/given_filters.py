"""The filters of a page as its address or a form gives them: for the search, for the form, and for other addresses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from application.ports.listing import Filter
from entrypoints.http.pages.words import pairs_of, text_of
from entrypoints.http.requests.filters import ARGS_PREFIX, TIMES, SearchQuery, task_filter
from entrypoints.http.requests.queries import LABEL_PREFIX

QUERY = SearchQuery()
ARGUMENTS, LABELS_FIELD = "arguments", "labels"
PREFIXES = {ARGUMENTS: ARGS_PREFIX, LABELS_FIELD: LABEL_PREFIX}
"""The fields of a form that have all arguments and all labels, as in `n=5 to.city=Oslo`, with their parameters."""
NOT_PAIRS = "Must be names with values, as in n=5 to.city=Oslo, and in quotes where there are spaces."
NO_TIME = "Must be a date with a time, as in 2026-11-30T12:00, or Unix seconds."
REPEATED = ("status", "ids")
"""The fields that checkboxes repeat. An address has their values joined by commas."""
NAMES = {
    "ids": "Id",
    "batch": "Batch",
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
    query = {name: _text(name, values) for name in values if name not in (*own, *PREFIXES)}
    query = {name: value for name, value in query.items() if value}
    errors: dict[str, Sequence[str]] = {}
    shown = {}
    for name, prefix in PREFIXES.items():
        typed = values.get(name, "").strip()
        try:
            query |= {f"{prefix}{each.removeprefix(prefix)}": value for each, value in pairs_of(typed)}
        except ValueError:
            errors[name] = [NOT_PAIRS]
        given = ((each.removeprefix(prefix), query[each]) for each in query if each.startswith(prefix))
        shown[name] = typed if name in errors else text_of(given)
    try:
        loaded = QUERY.load(query)
    except ValidationError as error:
        errors |= _by_field(error.messages_dict)
    fields = {name: _shown(name, value) for name, value in query.items()} | shown
    return GivenFilters(query, fields, errors, {} if errors else loaded)


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
    if name.startswith(LABEL_PREFIX):
        return f"Label {name.removeprefix(LABEL_PREFIX)}"
    return NAMES.get(name, f"Argument {name.removeprefix(ARGS_PREFIX)}")


def _by_field(messages: Any) -> dict[str, Sequence[str]]:
    return {_field_of(name): [NO_TIME] if name in TIMES else sentences for name, sentences in messages.items()}


def _field_of(parameter: str) -> str:
    return next((name for name, prefix in PREFIXES.items() if parameter.startswith(prefix)), parameter)
