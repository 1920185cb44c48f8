"""Taking in what people ask for: checked first, then stored, one task a key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from application.errors import InvalidArguments, KeyTaken, StorageConflict
from application.known_types import KnownTypes
from application.ports.argument_checker import ArgumentChecker
from application.ports.clock import Clock
from application.ports.task_repository import KeyOwner
from application.ports.unit_of_work import UnitOfWork
from domain import json_text, search_terms
from domain.errors import InvalidOption
from domain.ids import IdempotencyKey, TaskId, TypeName
from domain.instants import after
from domain.key import fingerprint
from domain.submission import Submission
from domain.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRequest:
    """Arguments for a type, and what is asked beside them.

    `args` is a parsed JSON object; `delay` and `ttl` are in seconds; `options` overrides those of the type by name. A
    request with a `key` that came before is the same request, whatever its options.
    """

    type: TypeName
    args: Mapping[str, Any]
    delay: float | None = None
    run_at: datetime | None = None
    ttl: int | None = None
    key: IdempotencyKey | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


class SubmissionBuilder:
    """Makes of requests what can be stored. `signs` says whether anybody may be told of anything."""

    def __init__(
        self, clock: Clock, types: KnownTypes, checker: ArgumentChecker, max_task_time: int, signs: bool
    ) -> None:
        self._clock = clock
        self._types = types
        self._checker = checker
        self._max_task_time = max_task_time
        self._signs = signs

    def now(self) -> datetime:
        """The moment at which something is submitted; many together are submitted at one."""
        return self._clock.now()

    def submission(self, request: TaskRequest, now: datetime) -> Submission:
        """UnknownType, InvalidArguments or InvalidOption for what cannot be carried out."""
        published = self._types.named(request.type).type
        if errors := self._checker.errors(published.schema, request.args):
            raise InvalidArguments(request.type, errors)
        if "callback" in request.options and not self._signs:
            raise InvalidOption("callback", "given", "absent, since the service has no WEBHOOK_SECRET")
        return Submission(
            type=request.type,
            args=json_text.dump(request.args),
            now=now,
            ttl=self._max_task_time if request.ttl is None else request.ttl,
            run_at=_run_at(request, now),
            key=request.key,
            fingerprint=request.key and fingerprint(request.type, request.args),
            options=replace(published.options, **request.options) if request.options else published.options,
            terms=search_terms.terms(request.args),
        )


class AddedOrFound(NamedTuple):
    """The task of a request: the new one, or none where the key had one before."""

    id: TaskId
    new: Task | None


def add_or_find(work: UnitOfWork, submissions: Sequence[Submission]) -> Sequence[AddedOrFound]:
    """The task of each. KeyTaken where that of a key is of another type or has other arguments: commit nothing then."""
    pairs = list(zip(submissions, work.tasks.add(submissions), strict=True))
    known = work.tasks.key_owners({each.key for each, new in pairs if new is None and each.key is not None})
    others = {
        nth: of.task for nth, (each, new) in enumerate(pairs) if not new and (of := _conflicting_owner(each, known))
    }
    if others:
        raise KeyTaken(others)
    return [AddedOrFound(new.id, new) if new else AddedOrFound(_owner(each, known).task, None) for each, new in pairs]


def _conflicting_owner(submission: Submission, known: Mapping[IdempotencyKey, KeyOwner]) -> KeyOwner | None:
    of_key = _owner(submission, known)
    return None if of_key.fingerprint == submission.fingerprint else of_key


def _owner(submission: Submission, known: Mapping[IdempotencyKey, KeyOwner]) -> KeyOwner:
    found = submission.key and known.get(submission.key)
    if not found:
        # It was deleted in between: by now the key is free.
        raise StorageConflict
    return found


def _run_at(request: TaskRequest, now: datetime) -> datetime | None:
    if request.delay is None:
        return request.run_at
    if request.run_at is not None:
        raise InvalidOption("run_at", request.run_at, "absent where delay is given")
    return after(now, request.delay)
