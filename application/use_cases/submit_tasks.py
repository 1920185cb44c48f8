"""Submit many tasks: all of them, or none."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from application.conflict_retry import retry_on_conflict
from application.errors import BatchKeyTaken, CallbacksDisabled, InvalidArguments, InvalidItems, KeyTaken, UnknownType
from application.json.fingerprint import batch_fingerprint
from application.ports.unit_of_work import Begin
from application.ports.wake_up import Notifier, Topic
from application.submissions import AddedOrFound, SubmissionBuilder, TaskRequest, add_or_find
from domain.errors import InvalidLabel, InvalidOption
from domain.idempotency_key import is_item_key, item_key
from domain.ids import IdempotencyKey, TaskId
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
    """

    def __init__(self, begin: Begin, submission_builder: SubmissionBuilder, notifier: Notifier) -> None:
        self._begin = begin
        self._submission_builder = submission_builder
        self._notifier = notifier

    def __call__(
        self, requests: Iterable[TaskRequest | UnreadableItem], key: IdempotencyKey | None = None
    ) -> SubmittedTasks:
        """Submit the tasks. Each request is read after the one before was checked.

        `key`: the idempotency key of the batch. Each request without a key of its own gets a part of it.
        """
        now = self._submission_builder.now()
        checked = [self._submission(request, now) for request in (_with_keys(requests, key) if key else requests)]
        submissions = [each for each in checked if isinstance(each, Submission)]
        if len(submissions) < len(checked):
            raise _invalid({index: each for index, each in enumerate(checked) if isinstance(each, UnreadableItem)})
        if clashes := _clashes(submissions):
            raise _invalid(clashes)
        found = self._stored(_as_one_batch(submissions) if key else submissions)
        has_new = any(each.new for each in found)
        if has_new:
            self._notifier.notify(Topic.WAITING)
        return SubmittedTasks([each.id for each in found], has_new)

    def _submission(self, request: TaskRequest | UnreadableItem, now: datetime) -> Submission | UnreadableItem:
        if isinstance(request, UnreadableItem):
            return request
        try:
            return self._submission_builder.submission(request, now)
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

    @retry_on_conflict
    def _stored(self, submissions: Sequence[Submission]) -> Sequence[AddedOrFound]:
        with self._begin() as work:
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


def _with_keys(
    requests: Iterable[TaskRequest | UnreadableItem], batch: IdempotencyKey
) -> Iterator[TaskRequest | UnreadableItem]:
    """Give each request that has no key the part of the batch's key that stands for its index."""
    for index, request in enumerate(requests):
        if isinstance(request, TaskRequest) and request.key is None:
            yield replace(request, key=item_key(batch, index))
        else:
            yield request


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
