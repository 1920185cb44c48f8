"""Submissions: requests are checked, then stored, with one task for each idempotency key."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, starmap
from typing import Any, NamedTuple

from application.conflict_retry import retry_on_conflict
from application.current_trace import current_trace
from application.errors import (
    CallbacksDisabled,
    Forbidden,
    InvalidArguments,
    KeyTaken,
    StorageConflict,
    TooManyWaiting,
    TypeClosed,
    UnknownParents,
    UnknownTask,
)
from application.json.fingerprint import fingerprint
from application.json.lanes import lane
from application.json.placeholders import Placeholder, placeholders_in_text, without_placeholders
from application.json.search_terms import label_term, owner_term, terms
from application.json.text import dump
from application.known_types import KnownTypes
from application.ports.argument_checker import ArgumentChecker
from application.ports.clock import Clock
from application.ports.listing import Filter
from application.ports.task_repository import KeyOwner
from application.ports.unit_of_work import Begin, UnitOfWork
from domain.access import OPEN, Access
from domain.callback import check_address
from domain.dependencies import Dependencies, IfFailed
from domain.errors import InvalidOption
from domain.idempotency_key import key_of_owner
from domain.ids import IdempotencyKey, Owner, TaskId, TypeName
from domain.instants import after
from domain.labels import check_labels
from domain.submission import Submission
from domain.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRequest:
    """A request for a task.

    `args`: a parsed JSON object.
    `delay`, `ttl`: in seconds.
    `key`: the idempotency key. A later request with the same key is the same request, whatever its options.
    `options`: by name; they override those of the type.
    `labels`: texts by name. Like options, they are no part of what the key stands for.
    `after`: the tasks that it waits for: ids, and among the items of one request also their names.
    `ref`: its own name among these.
    `if_failed`: what becomes of it if one of them fails; None is to fail.
    `placeholders`: those in `args`. It waits for their parents too.
    `by`: the rights of the sender.
    """

    type: TypeName
    args: Mapping[str, Any]
    delay: float | None = None
    run_at: datetime | None = None
    ttl: int | None = None
    key: IdempotencyKey | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    after: Sequence[TaskId | str] = ()
    ref: str | None = None
    if_failed: IfFailed | None = None
    placeholders: Sequence[Placeholder] = ()
    by: Access = OPEN


class SubmissionBuilder:
    """Turns requests into submissions. `callbacks_enabled`: whether a request may bring a callback."""

    def __init__(
        self,
        begin: Begin,
        clock: Clock,
        types: KnownTypes,
        checker: ArgumentChecker,
        max_task_time: int,
        callbacks_enabled: bool,
    ) -> None:
        self._begin = begin
        self._clock = clock
        self._types = types
        self._checker = checker
        self._max_task_time = max_task_time
        self._callbacks_enabled = callbacks_enabled

    def now(self) -> datetime:
        """The moment of a submission. Requests that come together share one."""
        return self._clock.now()

    def submission(self, request: TaskRequest, now: datetime) -> Submission:
        """The submission of a request.

        Raises Forbidden: the sender may submit no tasks of the type.
        Raises UnknownType: the type was never published.
        Raises TypeClosed: the type accepts no tasks, and no task has the key of the request.
        Raises InvalidArguments: the arguments do not fit the schema of the type.
        Raises CallbacksDisabled: the request has a callback, and none can be signed.
        Raises InvalidOption, InvalidLabel: an option or a label is beyond its limits.
        """
        if not request.by.may_submit(request.type):
            raise Forbidden(f"may submit no tasks of type {request.type}")
        known = self._types.named(request.type)
        key = _stored_key(request)
        if not known.limits.limits.accepting and not self._has_task(key):
            raise TypeClosed(request.type)
        published = known.type
        open_places = [each.place for each in request.placeholders]
        if errors := self._checker.errors(published.schema, request.args, open_places):
            raise InvalidArguments(request.type, errors)
        if "callback" in request.options and not self._callbacks_enabled:
            raise CallbacksDisabled
        check_labels(request.labels)
        run_at = _run_at(request, now)
        dependencies = _dependencies(request, run_at)
        known_args = without_placeholders(request.args) if request.placeholders else request.args
        return Submission(
            type=request.type,
            args=dump(request.args),
            now=now,
            ttl=self._max_task_time if request.ttl is None else request.ttl,
            run_at=run_at,
            key=key,
            fingerprint=key and fingerprint(request.type, request.args, dependencies),
            options=replace(published.options, **request.options) if request.options else published.options,
            terms=(*terms(known_args), *starmap(label_term, request.labels.items()), *_owner_terms(request.by.owner)),
            lane=lane(known_args, known.limits.limits.lane),
            labels=dump(request.labels) if request.labels else None,
            dependencies=dependencies,
            owner=None if request.by.max_waiting is None else request.by.owner,
            max_waiting=request.by.max_waiting,
            traceparent=current_trace.get(),
        )

    def check_callback(self, callback: str | None) -> None:
        """Raises CallbacksDisabled, InvalidOption: there is a callback, and it cannot be sent."""
        if callback is not None and not self._callbacks_enabled:
            raise CallbacksDisabled
        check_address(callback)

    @retry_on_conflict
    def _has_task(self, key: IdempotencyKey | None) -> bool:
        if key is None:
            return False
        with self._begin() as work:
            return key in work.tasks.key_owners({key})


class AddedOrFound(NamedTuple):
    """The task of a request. `new` is None if an earlier request with the same key made the task."""

    id: TaskId
    new: Task | None


def add_or_find(work: UnitOfWork, submissions: Sequence[Submission]) -> Sequence[AddedOrFound]:
    """The task of each submission.

    Raises KeyTaken: a key has a task of another type or with other arguments. The caller must not commit.
    Raises StorageConflict: the task of a key was deleted meanwhile.
    Raises TooManyWaiting: more tasks of an owner would wait than may.
    """
    limits = _limits_of_waiting(submissions)
    for limited in sorted(limits):
        work.tasks.lock_owner(limited)
    pairs = list(zip(submissions, work.tasks.add(submissions), strict=True))
    _check_waiting(work, limits, {each.owner for each, new in pairs if new})
    owners = work.tasks.key_owners({each.key for each, new in pairs if new is None and each.key is not None})
    conflicts = {
        index: owner.task
        for index, (each, new) in enumerate(pairs)
        if not new and (owner := _conflicting_owner(each, owners))
    }
    if conflicts:
        raise KeyTaken(conflicts)
    return [AddedOrFound(new.id, new) if new else AddedOrFound(_owner(each, owners).task, None) for each, new in pairs]


def _limits_of_waiting(submissions: Sequence[Submission]) -> Mapping[Owner, int]:
    """How many tasks of each owner may wait."""
    return {each.owner: each.max_waiting for each in submissions if each.owner and each.max_waiting is not None}


def _check_waiting(work: UnitOfWork, limits: Mapping[Owner, int], added_to: Set[Owner | None]) -> None:
    """Raises TooManyWaiting: more tasks wait of an owner to whom tasks were added. The caller must not commit."""
    for owner in limits.keys() & added_to:
        if work.tasks.waiting_of(owner, limits[owner] + 1) > limits[owner]:
            raise TooManyWaiting(limits[owner])


def _conflicting_owner(submission: Submission, owners: Mapping[IdempotencyKey, KeyOwner]) -> KeyOwner | None:
    owner = _owner(submission, owners)
    return None if owner.fingerprint == submission.fingerprint else owner


def _owner(submission: Submission, owners: Mapping[IdempotencyKey, KeyOwner]) -> KeyOwner:
    owner = submission.key and owners.get(submission.key)
    if not owner:
        # The task was deleted in between, so the key is free by now.
        raise StorageConflict
    return owner


def add_parents(work: UnitOfWork, found: Sequence[AddedOrFound], submissions: Sequence[Submission]) -> None:
    """Add the parents of the new tasks among these. Raises UnknownParents: the caller must not commit."""
    dependencies = {
        each.new.id: submission.dependencies
        for each, submission in zip(found, submissions, strict=True)
        if each.new and submission.dependencies
    }
    if hidden := _hidden_parents(work, dependencies.values()):
        raise UnknownParents(hidden)
    if dependencies and (unknown := work.dependencies.add(dependencies)):
        raise UnknownParents(unknown)


def _hidden_parents(work: UnitOfWork, dependencies: Collection[Dependencies]) -> Set[TaskId]:
    """The parents that the sender does not see."""
    hidden: set[TaskId] = set()
    for owner in {each.owner for each in dependencies if each.owner is not None}:
        parents = frozenset().union(*(each.parents for each in dependencies if each.owner == owner))
        own = Filter(ids=parents, terms=frozenset({owner_term(owner)}))
        hidden |= parents - {task.id for task in work.listing.search(own, None, len(parents)).tasks}
    return hidden


def _dependencies(request: TaskRequest, run_at: datetime | None) -> Dependencies | None:
    """The parents of a request, without those that are named; None if it waits for no task."""
    if not (request.after or request.placeholders):
        if request.if_failed:
            raise InvalidOption("if_failed", request.if_failed, "absent where the task waits for none")
        return None
    if request.placeholders and request.if_failed is IfFailed.RUN:
        raise InvalidOption(
            "if_failed", request.if_failed, "fail where arguments refer to results, which must be there"
        )
    parents = chain(request.after, (each.parent for each in request.placeholders))
    return Dependencies(
        parents=frozenset(each for each in parents if not isinstance(each, str)),
        if_failed=request.if_failed or IfFailed.FAIL,
        run_at=run_at,
        has_references=bool(request.placeholders),
        owner=request.by.sees_only,
    )


def _stored_key(request: TaskRequest) -> IdempotencyKey | None:
    owner = request.by.sees_only
    return key_of_owner(request.key, owner) if request.key and owner else request.key


def _owner_terms(owner: Owner | None) -> Sequence[int]:
    return () if owner is None else (owner_term(owner),)


def unknown_references(submission: Submission, unknown: Set[TaskId]) -> Mapping[str, Sequence[str]]:
    """Sentences by the place of each placeholder whose parent is one of these, which do not exist."""
    if not (submission.dependencies and submission.dependencies.has_references):
        return {}
    return {
        each.shown_place: [str(UnknownTask(each.parent))]
        for each in placeholders_in_text(submission.args)
        if each.parent in unknown
    }


def _run_at(request: TaskRequest, now: datetime) -> datetime | None:
    if request.delay is None:
        return request.run_at
    if request.run_at is not None:
        raise InvalidOption("run_at", request.run_at, "absent where delay is given")
    return after(now, request.delay)
