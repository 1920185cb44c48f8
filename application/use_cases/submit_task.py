"""Submit a task: from here on it is in the storage, whatever happens next."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from application.errors import InvalidArguments
from application.known_types import KnownTypes
from application.ports.arguments import ArgumentChecker
from application.ports.clock import Clock
from application.ports.tasks import Stored
from application.ports.wake_up import Notifier, Topic
from application.ports.work import Begin
from application.retried import retried
from application.view import View, Viewer
from domain import json_text
from domain.ids import TypeName
from domain.instants import after
from domain.submission import Submission


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Arguments for a type, and what is asked beside them.

    `args` is a parsed JSON object; `delay` and `ttl` are in seconds; `options` overrides those of the type by name.
    """

    type: TypeName
    args: Mapping[str, Any]
    delay: float | None = None
    run_at: datetime | None = None
    ttl: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


class SubmitTask:
    """UnknownType, InvalidArguments or InvalidOption for what cannot be carried out; nothing is stored then."""

    def __init__(
        self,
        begin: Begin,
        clock: Clock,
        types: KnownTypes,
        checker: ArgumentChecker,
        notifier: Notifier,
        viewer: Viewer,
        max_task_time: int,
    ) -> None:
        self._begin = begin
        self._clock = clock
        self._types = types
        self._checker = checker
        self._notifier = notifier
        self._viewer = viewer
        self._max_task_time = max_task_time

    @retried
    def __call__(self, request: Request) -> View:
        """The task, waiting."""
        submission = self._submission(request)
        with self._begin() as work:
            (task,) = work.tasks.add([submission])
            work.commit()
        self._notifier.notify(Topic.WAITING)
        return self._viewer(Stored(task, submission.args))

    def _submission(self, request: Request) -> Submission:
        published = self._types.named(request.type).type
        if errors := self._checker.errors(published.schema, request.args):
            raise InvalidArguments(request.type, errors)
        now = self._clock.now()
        return Submission(
            type=request.type,
            args=json_text.dump(request.args),
            now=now,
            ttl=self._max_task_time if request.ttl is None else request.ttl,
            run_at=request.run_at if request.delay is None else after(now, request.delay),
            options=replace(published.options, **request.options),
        )
