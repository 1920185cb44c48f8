"""The pages that change many tasks: one that names the number and asks, and one that shows how far the change has come.

The form of each holds all that is known of the change, so that any process goes on with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import UnprocessableEntity

from application.use_cases.change_tasks import ChangeTasksRequest, ChangeTasksResult
from domain.ids import BatchId, TaskId
from domain.status import Verb
from entrypoints.http.access.needs import MANAGE
from entrypoints.http.limits.bulkhead import Bulkhead
from entrypoints.http.pages.blueprint import Context, Done, Pages, Shown
from entrypoints.http.pages.formats import number
from entrypoints.http.pages.given_filters import GivenFilters, given_filters
from entrypoints.http.requests.filters import decoded_cursor
from entrypoints.http.services import Services

SLICE_SECONDS = 2.0
MAX_SLICES = 2
"""Slices that one process carries out at the same time."""
OWN = ("verb", "scope", "back", "total", "done", "as_of", "is_exact")
"""The fields of the pages that are no filters."""
CHOSEN, ALL, BATCH = "chosen", "all", "batch"
"""The scopes: the tasks whose boxes were checked, all that match the filters, and all of a batch, as a whole."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The texts for a verb, as in "Retry 5 tasks?", "Retrying tasks" and "5 tasks wait again."."""

    asks: str
    goes_on: str
    one_is_done: str
    are_done: str
    explains: str
    is_dangerous: bool = False

    def sentence(self, count: int) -> str:
        """The sentence about so many changed tasks."""
        return f"1 task {self.one_is_done}." if count == 1 else f"{number(count)} tasks {self.are_done}."


WORDINGS: Mapping[Verb, Wording] = {
    Verb.RETRY: Wording(
        "Retry", "Retrying", "waits again", "wait again", "They wait again, with as many attempts as their types have."
    ),
    Verb.CANCEL: Wording(
        "Cancel", "Cancelling", "is cancelled", "are cancelled", "Those that run are stopped within a second."
    ),
    Verb.DELETE: Wording(
        "Delete",
        "Deleting",
        "is deleted",
        "are deleted",
        "Their arguments, results and logs are gone for good. A task that runs stays.",
        is_dangerous=True,
    ),
}


@dataclass(frozen=True, slots=True)
class Change:
    """A change of many tasks that is to go on: all of it stands in the form.

    - `before`: the id below which the tasks are that are still to be changed.
    - `as_of`: the moment whose tasks are changed.
    - `total`: how many they were then, or at least so many where it is not exact.
    """

    verb: Verb
    given: GivenFilters
    before: TaskId
    as_of: datetime
    total: int
    is_exact: bool
    back: str
    scope: str
    done: int = 0

    @property
    def wording(self) -> Wording:
        """The texts for its verb."""
        return WORDINGS[self.verb]

    @property
    def batch(self) -> BatchId | None:
        """The batch that is changed as a whole."""
        return self.given.filter.batch if self.scope == BATCH else None

    @property
    def closes_batch(self) -> bool:
        """Whether a batch is closed before its tasks are changed."""
        return self.batch is not None and self.verb is Verb.CANCEL

    @property
    def hidden(self) -> Mapping[str, str]:
        """The fields of the form."""
        own = {"verb": self.verb.value, "scope": self.scope, "back": self.back}
        bounds = {"as_of": self.as_of.isoformat(), "cursor": str(self.before)}
        counts = {"total": str(self.total), "done": str(self.done), "is_exact": "yes" if self.is_exact else ""}
        return {**self.given.without_cursor, **own, **bounds, **counts}


def add_many(pages: Pages, services: Services) -> None:
    """Add the pages and the action."""
    match, close, finish = services.count_matching(), services.close_batch(), services.finish_batches()
    bulkhead = Bulkhead(MAX_SLICES, "others are changing many tasks: go back and try again")
    carry_out: Mapping[Verb, Callable[[ChangeTasksRequest], ChangeTasksResult]] = {
        Verb.RETRY: services.retry_tasks(),
        Verb.CANCEL: services.cancel_tasks(),
        Verb.DELETE: services.delete_tasks(),
    }

    @pages.page("/tasks/confirm", "confirm.html", MANAGE)
    def confirm() -> Context:
        verb, given = _verb(request.args), _filters(request.args)
        back, scope = pages.addresses.own(request.args.get("back")), _scope(request.args, given)
        if scope == CHOSEN and "ids" not in given.query:
            return {"wording": WORDINGS[verb], "back": back, "change": None}
        tasks = match(given.filter, verb)
        change = Change(verb, given, tasks.before, tasks.as_of, tasks.number, tasks.is_exact, back, scope)
        return {"wording": WORDINGS[verb], "back": back, "change": change}

    @pages.action("/tasks/change", MANAGE)
    def change_tasks(form: MultiDict[str, str]) -> Done | Shown:
        change = _change(form, pages.addresses.own(form.get("back")))
        filter = replace(change.given.filter, as_of=change.as_of)
        with bulkhead:
            if change.batch is not None and change.closes_batch:
                close(change.batch)
            result = carry_out[change.verb](
                ChangeTasksRequest(filter=filter, before=change.before, seconds=SLICE_SECONDS)
            )
        done = change.done + result.count
        if result.next is None:
            finish([change.batch] if change.batch is not None else [])
            return Done(change.wording.sentence(done))
        return Shown("changing.html", {"change": replace(change, before=result.next, done=done)})


def _change(form: MultiDict[str, str], back: str) -> Change:
    """The change that a form holds. Raises UnprocessableEntity: a part is wrong or missing, so that it has no bound."""
    verb, given = _verb(form), _filters(form)
    before = decoded_cursor(given.loaded)
    try:
        as_of, total, done = _in_utc(form["as_of"]), int(form["total"]), int(form["done"])
        if before is None:
            raise ValueError
    except (ValueError, OverflowError, KeyError):
        raise UnprocessableEntity("the form is incomplete: begin with the list of tasks") from None
    return Change(verb, given, before, as_of, total, bool(form.get("is_exact")), back, _scope(form, given), done)


def _in_utc(text: str) -> datetime:
    """The moment of a text, in UTC: the database knows fewer offsets. Raises ValueError, OverflowError: it has none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)


def _verb(values: MultiDict[str, str]) -> Verb:
    given = values.get("verb", "")
    if given not in list(WORDINGS):
        raise UnprocessableEntity("verb must be retry, cancel or delete")
    return Verb(given)


def _scope(values: MultiDict[str, str], given: GivenFilters) -> str:
    """The scope. Raises UnprocessableEntity: it is none, or a batch is to be changed that is not named alone."""
    scope = values.get("scope", "")
    if scope not in (CHOSEN, ALL, BATCH):
        raise UnprocessableEntity("scope must be chosen, all or batch")
    if scope == BATCH and given.without_cursor.keys() != {"batch"}:
        raise UnprocessableEntity("a batch is changed as a whole: it must be the only filter")
    return scope


def _filters(values: MultiDict[str, str]) -> GivenFilters:
    """The filters. Raises UnprocessableEntity: one is wrong."""
    given = given_filters(values, OWN)
    if given.errors:
        wrong = UnprocessableEntity("a filter is wrong")
        wrong.data = {"messages": {"query": given.errors}}  # type: ignore[attr-defined]
        raise wrong
    return given
