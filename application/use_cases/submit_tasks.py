"""Submit many tasks: all of them, or none."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from application.conflict_retry import retry_on_conflict
from application.errors import (
    BatchClosed,
    BatchKeyTaken,
    CallbacksDisabled,
    InvalidArguments,
    InvalidItems,
    KeyTaken,
    UnknownBatch,
    UnknownType,
)
from application.json.fingerprint import batch_fingerprint
from application.ports.unit_of_work import Begin, UnitOfWork
from application.ports.wake_up import Notifier, Topic
from application.submissions import AddedOrFound, SubmissionBuilder, TaskRequest, add_or_find
from domain.errors import InvalidLabel, InvalidOption
from domain.idempotency_key import is_item_key, item_key, key_in_batch
from domain.ids import BatchId, IdempotencyKey, TaskId
from domain.submission import Submission

Errors = Mapping[str, Sequence[str | CallbacksDisabled]]
"""The mistakes in an item: sentences by the path of the place, such as `$.priority`."""

MAX_PLACES_NAMED = 10
"""The number of wrong places that are named of one item at most."""


@dataclass(frozen=True, slots=True)
class UnreadableItem:
    """An item that is not a valid request, and its mistakes."""

    errors: Errors


@dataclass(frozen=True, slots=True)
class SubmittedTasks:
    """The ids in the order of the requests, and whether any of the tasks is new."""

    ids: Sequence[TaskId]
    has_new: bool


class SubmitTasks:
    """Submits many tasks: all of them, or none.

    Raises InvalidItems: some requests are invalid, each of which is named by its index.
    Raises BatchKeyTaken: the key has another batch.
    Raises TypeClosed: a type accepts no tasks for now.
    Raises UnknownBatch, BatchClosed: there is no such batch, or it is not open.
    """

    def __init__(self, begin: Begin, submission_builder: SubmissionBuilder, notifier: Notifier) -> None:
        self._begin = begin
        self._submission_builder = submission_builder
        self._notifier = notifier

    def __call__(
        self,
        requests: Iterable[TaskRequest | UnreadableItem],
        key: IdempotencyKey | None = None,
        batch: BatchId | None = None,
    ) -> SubmittedTasks:
        """Submit the tasks. Each request is read after the one before was checked.

        `key`: the idempotency key of all. Each request without a key of its own gets a part of it.
        `batch`: the open batch to which the tasks are added; then no request may have a key of its own.
        """
        if batch is not None:
            requests = without_own_keys(requests)
            key = key and key_in_batch(key, batch)
        now = self._submission_builder.now()
        with_keys = _with_keys(requests, key) if key else requests
        submissions = checked_submissions(self._submission_builder, with_keys, now)
        if clashes := _clashes(submissions):
            raise _invalid(clashes)
        found = self._stored(_as_one_batch(submissions) if key else submissions, batch)
        has_new = any(each.new for each in found)
        if has_new:
            self._notifier.notify(Topic.WAITING)
        return SubmittedTasks([each.id for each in found], has_new)

    @retry_on_conflict
    def _stored(self, submissions: Sequence[Submission], batch: BatchId | None) -> Sequence[AddedOrFound]:
        with self._begin() as work:
            if batch is not None:
                _check_open(work, batch)
                submissions = [replace(each, batch=batch) for each in submissions]
            try:
                found = add_or_find(work, submissions)
            except KeyTaken as error:
                for index, id in error.tasks.items():
                    if is_item_key(submissions[index].key):
                        raise BatchKeyTaken(id) from None
                raise _invalid(
                    {
                        index: UnreadableItem({"$.idempotency_key": [f"{error}: {id}"]})
                        for index, id in error.tasks.items()
                    }
                ) from None
            work.commit()
        return found


def checked_submissions(
    builder: SubmissionBuilder, requests: Iterable[TaskRequest | UnreadableItem], now: datetime
) -> Sequence[Submission]:
    """The submission of each request, which is read after the one before was checked.

    Raises InvalidItems: some of them are invalid. Raises TypeClosed: a type accepts no tasks for now.
    """
    checked = [submission_of(builder, request, now) for request in requests]
    submissions = [each for each in checked if isinstance(each, Submission)]
    if len(submissions) < len(checked):
        raise _invalid({index: each for index, each in enumerate(checked) if isinstance(each, UnreadableItem)})
    return submissions


def submission_of(
    builder: SubmissionBuilder, request: TaskRequest | UnreadableItem, now: datetime
) -> Submission | UnreadableItem:
    """The submission of a request, or its mistakes. Raises TypeClosed: its type accepts no tasks for now."""
    if isinstance(request, UnreadableItem):
        return request
    try:
        return builder.submission(request, now)
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


def _with_keys(
    requests: Iterable[TaskRequest | UnreadableItem], batch: IdempotencyKey
) -> Iterator[TaskRequest | UnreadableItem]:
    """Give each request that has no key the part of the batch's key that stands for its index."""
    for index, request in enumerate(requests):
        if isinstance(request, TaskRequest) and request.key is None:
            yield replace(request, key=item_key(batch, index))
        else:
            yield request


OWN_KEY = "it must be absent: the Idempotency-Key of the request holds for all"


def without_own_keys(requests: Iterable[TaskRequest | UnreadableItem]) -> Iterator[TaskRequest | UnreadableItem]:
    """Refuse requests that have keys of their own: the task of such a key may be of another batch."""
    for request in requests:
        has_key = isinstance(request, TaskRequest) and request.key is not None
        yield UnreadableItem({"$.idempotency_key": [OWN_KEY]}) if has_key else request


def _check_open(work: UnitOfWork, id: BatchId) -> None:
    """Keep the batch open until the unit of work ends. Raises UnknownBatch, BatchClosed."""
    batch = work.batches.lock_for_adding(id)
    if batch is None:
        raise UnknownBatch(id)
    if not batch.is_open:
        raise BatchClosed(id)


def _as_one_batch(submissions: Sequence[Submission]) -> Sequence[Submission]:
    """Give the submissions with a part of the batch's key one fingerprint, so that no other batch can find them."""
    fingerprint = batch_fingerprint(str(each.fingerprint) for each in submissions)
    return [replace(each, fingerprint=fingerprint) if is_item_key(each.key) else each for each in submissions]


def _clashes(submissions: Sequence[Submission]) -> Mapping[int, UnreadableItem]:
    """The submissions with the key of an earlier one that asks for something else.

    The storage would answer with the task of the earlier one, which is not stored either.
    """
    first: dict[IdempotencyKey, int] = {}
    earlier = {index: first.setdefault(each.key, index) for index, each in enumerate(submissions) if each.key}
    return {
        index: UnreadableItem({"$.idempotency_key": [f"item {same} has this key and another type or other arguments"]})
        for index, same in earlier.items()
        if submissions[index].fingerprint != submissions[same].fingerprint
    }


def _invalid(items: Mapping[int, UnreadableItem]) -> InvalidItems:
    return InvalidItems(
        {
            f"$.{index}{path[1:]}": sentences
            for index, item in items.items()
            for path, sentences in islice(item.errors.items(), MAX_PLACES_NAMED)
        },
        len(items),
    )
