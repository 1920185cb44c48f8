"""The items of one request: requests for tasks that are checked and stored together, all or none."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from application.errors import (
    CallbacksDisabled,
    InvalidArguments,
    InvalidItems,
    KeyTaken,
    UnknownParents,
    UnknownType,
)
from application.json.fingerprint import digest
from application.json.placeholders import with_ids as named_by_ids
from application.ports.unit_of_work import UnitOfWork
from application.references import References
from application.submissions import (
    AddedOrFound,
    SubmissionBuilder,
    TaskRequest,
    add_or_find,
    add_parents,
    unknown_references,
)
from domain.errors import InvalidLabel, InvalidOption
from domain.ids import TaskId
from domain.submission import Submission

Errors = Mapping[str, Sequence[str | CallbacksDisabled]]
"""The mistakes in an item: sentences by the path of the place, such as `$.priority`."""

MAX_PLACES_NAMED = 10
"""The number of wrong places that are named of one item at most."""
OWN_KEY = "it must be absent: the Idempotency-Key of the request holds for all"


@dataclass(frozen=True, slots=True)
class UnreadableItem:
    """An item that is not a valid request, and its mistakes."""

    errors: Errors


Item = TaskRequest | UnreadableItem


@dataclass(frozen=True, slots=True)
class CheckedItems:
    """Submissions in the order of the items.

    - `parents`: by index, the indexes of the items that each one waits for.
    - `index_of`: the index of the item of each name.
    """

    submissions: Sequence[Submission]
    parents: Mapping[int, frozenset[int]]
    index_of: Mapping[str, int]

    @property
    def wait_for_others(self) -> bool:
        """Whether any of them waits for other tasks."""
        return any(each.dependencies for each in self.submissions)


def checked_items(builder: SubmissionBuilder, items: Iterable[Item], now: datetime) -> CheckedItems:
    """Check the items, each before the next one is read.

    Raises InvalidItems: some of them are invalid, each of which is named by its index.
    Raises TypeClosed: a type accepts no tasks for now.
    """
    references = References()
    checked = [submission_of(builder, each, now) for each in _noted(items, references)]
    submissions = [each for each in checked if isinstance(each, Submission)]
    if len(submissions) < len(checked):
        raise invalid({index: each for index, each in enumerate(checked) if isinstance(each, UnreadableItem)})
    parents = references.parents()
    if parents:
        submissions = [_with_parents(each, parents.get(index)) for index, each in enumerate(submissions)]
    return CheckedItems(submissions, parents, references.index_of)


def submission_of(builder: SubmissionBuilder, item: Item, now: datetime) -> Submission | UnreadableItem:
    """The submission of an item, or its mistakes. Raises TypeClosed: its type accepts no tasks for now."""
    if isinstance(item, UnreadableItem):
        return item
    try:
        return builder.submission(item, now)
    except UnknownType as error:
        return UnreadableItem({"$.type": [f"{error.type} is not published"]})
    except InvalidArguments as error:
        return UnreadableItem({f"$.args{path[1:]}": sentences for path, sentences in error.errors.items()})
    except CallbacksDisabled as error:
        return UnreadableItem({"$.callback": [error]})
    except InvalidLabel as error:
        return UnreadableItem({f"$.labels.{error.name}": [f"it must be {error.expected}"]})
    except InvalidOption as error:
        return UnreadableItem({f"$.{error.option}": [f"it must be {error.expected}"]})


def without_own_keys(items: Iterable[Item]) -> Iterator[Item]:
    """Refuse items that have keys of their own: the task of such a key may be of another batch."""
    for each in items:
        has_key = isinstance(each, TaskRequest) and each.key is not None
        yield UnreadableItem({"$.idempotency_key": [OWN_KEY]}) if has_key else each


def add_items(work: UnitOfWork, items: CheckedItems) -> Sequence[AddedOrFound]:
    """Add the tasks with their parents, or find those of taken keys. Where it raises, the caller must not commit.

    Raises InvalidItems: an item waits for a task that does not exist.
    Raises KeyTaken, StorageConflict: as add_or_find.
    """
    found = add_or_find(work, items.submissions)
    with_ids = _with_ids(items, found)
    work.tasks.replace_args(
        {
            each.new.id: after.args
            for each, before, after in zip(found, items.submissions, with_ids, strict=True)
            if each.new and after.args is not before.args
        }
    )
    try:
        add_parents(work, found, with_ids)
    except UnknownParents as error:
        raise invalid(dict(_with_unknown_parents(items.submissions, error.parents))) from None
    return found


def keys_taken(error: KeyTaken) -> InvalidItems:
    """The items whose own keys have other tasks."""
    return invalid(
        {index: UnreadableItem({"$.idempotency_key": [f"{error}: {id}"]}) for index, id in error.tasks.items()}
    )


def invalid(items: Mapping[int, UnreadableItem]) -> InvalidItems:
    """The error that names the mistakes of these items by their index."""
    return InvalidItems(
        {
            f"$.{index}{path[1:]}": sentences
            for index, item in items.items()
            for path, sentences in islice(item.errors.items(), MAX_PLACES_NAMED)
        },
        len(items),
    )


def _noted(items: Iterable[Item], references: References) -> Iterator[Item]:
    """The same items, whose names are noted while they are read."""
    for index, each in enumerate(items):
        if isinstance(each, TaskRequest) and (each.after or each.placeholders or each.ref is not None):
            references.note(index, each)
        yield each


def _with_parents(submission: Submission, parents: frozenset[int] | None) -> Submission:
    """The same submission, with a fingerprint that tells for which items it waits, if it has a key."""
    if parents is None or submission.fingerprint is None:
        return submission
    return replace(submission, fingerprint=digest(f"{submission.fingerprint} {sorted(parents)}"))


def _with_ids(items: CheckedItems, found: Sequence[AddedOrFound]) -> Sequence[Submission]:
    """The submissions, with the ids of the items for which they wait, in their arguments too."""
    if not items.parents:
        return items.submissions
    with_ids = list(items.submissions)
    ids_by_name = {name: found[index].id for name, index in items.index_of.items()}
    for index, of_items in items.parents.items():
        submission = items.submissions[index]
        if dependencies := submission.dependencies:
            ids = dependencies.parents | {found[each].id for each in of_items}
            args = named_by_ids(submission.args, ids_by_name) if dependencies.has_references else submission.args
            with_ids[index] = replace(submission, args=args, dependencies=replace(dependencies, parents=ids))
    return with_ids


def _with_unknown_parents(
    submissions: Sequence[Submission], unknown: Set[TaskId]
) -> Iterator[tuple[int, UnreadableItem]]:
    for index, each in enumerate(submissions):
        if each.dependencies and (missing := each.dependencies.parents & unknown):
            places = {f"$.args{place[1:]}": sentences for place, sentences in unknown_references(each, missing).items()}
            sentences = [f"task id {id} is not registered" for id in sorted(missing)[:MAX_PLACES_NAMED]]
            yield index, UnreadableItem(places or {"$.after": sentences})
