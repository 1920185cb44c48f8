"""Submit many tasks: all of them, or none."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from application.conflict_retry import retry_on_conflict
from application.errors import BatchClosed, BatchKeyTaken, KeyTaken, UnknownBatch
from application.items import (
    MAX_PLACES_NAMED,
    CheckedItems,
    Item,
    UnreadableItem,
    add_items,
    checked_items,
    invalid,
    keys_taken,
    without_own_keys,
)
from application.json.fingerprint import batch_fingerprint
from application.ports.unit_of_work import Begin, UnitOfWork
from application.ports.wake_up import Notifier, Topic
from application.submissions import AddedOrFound, SubmissionBuilder, TaskRequest
from application.use_cases.unblock_tasks import UnblockTasks
from domain.batch import Batch
from domain.idempotency_key import is_item_key, item_key, key_in_batch
from domain.ids import BatchId, IdempotencyKey, TaskId
from domain.submission import Submission


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
    Raises UnknownBatch, BatchClosed: there is no such batch, or it is not open and some of the tasks are new.
    """

    def __init__(
        self, begin: Begin, submission_builder: SubmissionBuilder, notifier: Notifier, unblock: UnblockTasks
    ) -> None:
        self._begin = begin
        self._submission_builder = submission_builder
        self._notifier = notifier
        self._unblock = unblock

    def __call__(
        self, requests: Iterable[Item], key: IdempotencyKey | None = None, batch: BatchId | None = None
    ) -> SubmittedTasks:
        """Submit the tasks. Each request is read after the one before was checked.

        `key`: the idempotency key of all. Each request without a key of its own gets a part of it.
        `batch`: the open batch to which the tasks are added; then no request may have a key of its own.
        """
        if batch is not None:
            requests = without_own_keys(requests)
            key = key and key_in_batch(key, batch)
        now = self._submission_builder.now()
        items = checked_items(self._submission_builder, _with_keys(requests, key) if key else requests, now)
        if clashes := _clashes(items.submissions):
            raise invalid(clashes)
        if key:
            items = replace(items, submissions=_as_one_batch(items.submissions))
        found = self._stored(items, batch)
        has_new = any(each.new for each in found)
        if has_new:
            self._notifier.notify(Topic.WAITING)
        if has_new and items.wait_for_others:
            self._unblock.all()
        return SubmittedTasks([each.id for each in found], has_new)

    @retry_on_conflict
    def _stored(self, items: CheckedItems, batch: BatchId | None) -> Sequence[AddedOrFound]:
        with self._begin() as work:
            target = None if batch is None else _locked(work, batch)
            if target:
                _check_no_circle(work, target.id, items)
                items = replace(items, submissions=[replace(each, batch=target.id) for each in items.submissions])
            try:
                found = add_items(work, items)
            except KeyTaken as error:
                for index, id in error.tasks.items():
                    if is_item_key(items.submissions[index].key):
                        raise BatchKeyTaken(id) from None
                raise keys_taken(error) from None
            # A repeated request finds its tasks, though the batch was closed meanwhile.
            if target and not target.is_open and any(each.new for each in found):
                raise BatchClosed(target.id)
            work.commit()
        return found


def _locked(work: UnitOfWork, id: BatchId) -> Batch:
    """The batch, which stays open, if it is, until the unit of work ends. Raises UnknownBatch."""
    batch = work.batches.lock_for_adding(id)
    if batch is None:
        raise UnknownBatch(id)
    return batch


def _check_no_circle(work: UnitOfWork, batch: BatchId, items: CheckedItems) -> None:
    """Raises InvalidItems: an item waits for a task that waits for the end of its own batch."""
    parents = {id for each in items.submissions if each.dependencies for id in each.dependencies.parents}
    if parents and (later := work.dependencies.after_batch(batch, parents)):
        raise invalid(dict(_in_circles(items.submissions, later)))


def _in_circles(submissions: Sequence[Submission], later: Set[TaskId]) -> Iterator[tuple[int, UnreadableItem]]:
    for index, each in enumerate(submissions):
        if each.dependencies and (found := each.dependencies.parents & later):
            sentences = [f"task {id} waits for the end of this batch" for id in sorted(found)[:MAX_PLACES_NAMED]]
            yield index, UnreadableItem({"$.after": sentences})


def _with_keys(requests: Iterable[Item], batch: IdempotencyKey) -> Iterator[Item]:
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
