"""Create a batch with its tasks: all of it, or nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from application.conflict_retry import retry_on_conflict
from application.errors import CallbacksDisabled, InvalidBatch, InvalidItems, KeyTakenByBatch, StorageConflict
from application.items import (
    CheckedItems,
    Item,
    UnreadableItem,
    add_items,
    checked_items,
    submission_of,
    without_own_keys,
)
from application.json.fingerprint import batch_fingerprint, digest, fingerprint
from application.json.text import canonical, dump
from application.ports.batches import NewBatch
from application.ports.unit_of_work import Begin, UnitOfWork
from application.ports.wake_up import Notifier, Topic
from application.submissions import SubmissionBuilder, TaskRequest
from application.use_cases.finish_batches import FinishBatches
from application.use_cases.unblock_tasks import UnblockTasks
from domain.access import OPEN, Access
from domain.batch import check_name
from domain.dependencies import Dependencies, IfFailed
from domain.errors import InvalidLabel, InvalidOption
from domain.idempotency_key import key_of_owner
from domain.ids import BatchId, IdempotencyKey, TaskId
from domain.labels import check_labels
from domain.submission import Submission

TASKS_PATH, THEN_PATH = "$.tasks", "$.then"
BLOCKED = Dependencies(parents=frozenset())
"""The task that follows a batch waits for no other task: the batch unblocks it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest:
    """A request for a batch, without its tasks.

    - `name`: a text for people.
    - `is_open`: whether more tasks may be added later.
    - `then`: the task that starts when the batch has finished.
    - `key`: the idempotency key of the whole.
    - `by`: the rights of the sender.
    """

    name: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    is_open: bool = False
    then: Item | None = None
    callback: str | None = None
    key: IdempotencyKey | None = None
    by: Access = OPEN

    @property
    def stored_key(self) -> IdempotencyKey | None:
        """The key as it is stored."""
        owner = self.by.sees_only
        return key_of_owner(self.key, owner) if self.key and owner else self.key


@dataclass(frozen=True, slots=True)
class CreatedBatch:
    """The id of the batch, those of its tasks in the order of the requests, and whether the batch is new.

    `then`: the id of the task that follows it.
    """

    id: BatchId
    ids: Sequence[TaskId]
    then: TaskId | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class CheckedTasks:
    """The tasks of a batch, which were checked at one moment, and the fingerprint of each request."""

    now: datetime
    items: CheckedItems
    fingerprints: Sequence[str]


class CreateBatch:
    """Creates a batch with its tasks.

    Raises InvalidItems: some requests for tasks are invalid, each of which is named by its path.
    Raises InvalidBatch: the batch itself is, or the task that follows it.
    Raises KeyTakenByBatch: the key has another batch.
    Raises TypeClosed: a type accepts no tasks for now.
    """

    def __init__(
        self,
        begin: Begin,
        submission_builder: SubmissionBuilder,
        notifier: Notifier,
        finish: FinishBatches,
        unblock: UnblockTasks,
        max_task_time: int,
    ) -> None:
        self._begin = begin
        self._submission_builder = submission_builder
        self._notifier = notifier
        self._finish = finish
        self._unblock = unblock
        self._max_task_time = max_task_time

    def checked(self, items: Iterable[Item]) -> CheckedTasks:
        """Check the tasks, each before the next one is read. Raises InvalidItems, TypeClosed."""
        now = self._submission_builder.now()
        prints: list[str] = []
        try:
            noted = _noted(without_own_keys(items), prints)
            return CheckedTasks(now, checked_items(self._submission_builder, noted, now), prints)
        except InvalidItems as error:
            raise error.under(TASKS_PATH) from None

    def __call__(self, request: BatchRequest, tasks: CheckedTasks) -> CreatedBatch:
        """Create the batch with these tasks, or find the one that an earlier request with the same key made."""
        self._check(request)
        then = self._then(request, tasks.now)
        new = NewBatch(
            now=tasks.now,
            ttl=self._max_task_time,
            name=request.name,
            labels=dump(request.labels) if request.labels else None,
            is_open=request.is_open,
            callback=request.callback,
            key=request.stored_key,
            owner=request.by.owner,
            fingerprint=request.key and batch_fingerprint([_fingerprint(request), *tasks.fingerprints]),
        )
        try:
            created = self._stored(new, tasks.items, then)
        except InvalidItems as error:
            raise error.under(TASKS_PATH) from None
        self._follow_up(created, tasks.items)
        return created

    def _follow_up(self, created: CreatedBatch, items: CheckedItems) -> None:
        if created.is_new and items.submissions:
            self._notifier.notify(Topic.WAITING)
        if created.is_new and items.wait_for_others:
            self._unblock.all()
        if not items.submissions:
            self._finish([created.id])

    def _check(self, request: BatchRequest) -> None:
        """Raises InvalidBatch."""
        try:
            check_labels(request.labels)
            check_name(request.name)
            self._submission_builder.check_callback(request.callback)
        except CallbacksDisabled as error:
            raise InvalidBatch({"$.callback": [error]}) from None
        except InvalidLabel as error:
            raise InvalidBatch({f"$.labels.{error.name}": [f"it must be {error.expected}"]}) from None
        except InvalidOption as error:
            raise InvalidBatch({f"$.{error.option}": [f"it must be {error.expected}"]}) from None

    def _then(self, request: BatchRequest, now: datetime) -> Submission | None:
        """The submission of the task that follows. Raises InvalidBatch."""
        if request.then is None:
            return None
        then = submission_of(self._submission_builder, request.then, now)
        if isinstance(then, UnreadableItem):
            raise InvalidBatch({f"{THEN_PATH}{path[1:]}": sentences for path, sentences in then.errors.items()})
        return replace(then, dependencies=BLOCKED)

    @retry_on_conflict
    def _stored(self, new: NewBatch, items: CheckedItems, then: Submission | None) -> CreatedBatch:
        with self._begin() as work:
            batch = work.batches.add(new)
            if batch is None:
                return _found(work, new)
            of_batch = replace(items, submissions=[replace(each, batch=batch.id) for each in items.submissions])
            ids = [each.id for each in add_items(work, of_batch)]
            follower = _added(work, then) if then else None
            if new.key is not None or follower is not None:
                work.batches.remember(batch.id, ids if new.key is not None else (), follower)
            work.commit()
        return CreatedBatch(batch.id, ids, follower, True)


def _added(work: UnitOfWork, submission: Submission) -> TaskId | None:
    (task,) = work.tasks.add([submission])
    return task.id if task else None


def _found(work: UnitOfWork, new: NewBatch) -> CreatedBatch:
    """The batch that has the key."""
    assert new.key is not None
    record = work.batches.with_key(new.key)
    if record is None:
        # The batch was deleted in between, so the key is free by now.
        raise StorageConflict
    if record.fingerprint != new.fingerprint:
        raise KeyTakenByBatch(record.batch.id)
    return CreatedBatch(record.batch.id, record.ids, record.batch.then, False)


def _noted(items: Iterable[Item], prints: list[str]) -> Iterator[Item]:
    """Note the fingerprint of each request."""
    for each in items:
        if isinstance(each, TaskRequest):
            prints.append(_fingerprint_of_task(each))
        yield each


def _fingerprint_of_task(request: TaskRequest) -> str:
    own = fingerprint(request.type, request.args)
    if not (request.ref or request.after or request.placeholders):
        return own
    refers = " with references" if request.placeholders else ""
    after = sorted({*map(repr, request.after)})
    return digest(f"{own} {request.ref!r} {after} {request.if_failed or IfFailed.FAIL}{refers}")


def _fingerprint(request: BatchRequest) -> str:
    """A hash of what the batch itself is."""
    then = _fingerprint_of_task(request.then) if isinstance(request.then, TaskRequest) else None
    return digest(canonical([request.name, dict(request.labels), request.is_open, request.callback, then]))
