"""Publish the types that this handler can run, and withdraw them when it stops."""

import logging
from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from math import inf

from application.errors import StorageConflict
from application.ports.background import BackgroundRunner
from application.supervisor.operations.operation import Context
from application.use_cases.publish_types import PublishTypes
from domain.ids import TypeName
from domain.task_type import TaskType

RETRY_SECONDS = 1.0
"""Seconds after which a publication that has met a lock is repeated."""
log = logging.getLogger(__name__)


class Publish:
    """Due while the executor's types differ from the published ones; no task is claimed before the first publication.

    Locked types and schedules are published later, and hold back neither the others nor the claims.

    `on_published` is called with the types that have been published.
    """

    def __init__(
        self, context: Context, publish: PublishTypes, on_published: Callable[[Sequence[TaskType]], None]
    ) -> None:
        self._context = context
        self._state = context.state
        self._publish = publish
        self._on_published = on_published
        self._retry = context.timer()
        self._incomplete_in_a_row = 0

    def due_in(self) -> float:
        state = self._state
        is_wanted = state.types and (state.types != state.published or self._incomplete_in_a_row)
        return self._retry.due_in() if is_wanted and not state.draining else inf

    def send(self, runner: BackgroundRunner) -> None:
        types = self._state.types
        runner.submit(lambda: self._try(types), lambda locked: self._on_answer(types, locked))

    def _try(self, types: Sequence[TaskType]) -> Set[TypeName] | None:
        """Publish what is not locked, and return the names of the other types; None if the handler's record is."""
        identity = self._context.identity
        until = self._context.lease().until
        try:
            return self._publish(identity.handler, types, until, identity.process, identity.lease, identity.info)
        except StorageConflict:
            return None

    def _on_answer(self, types: Sequence[TaskType], locked: Set[TypeName] | None) -> None:
        self._state.locked = locked or set()
        if locked is not None and types != self._state.published:
            self._state.published = types
            self._on_published(types)
        if locked == set():
            self._incomplete_in_a_row = 0
        else:
            self._retry_later(locked)

    def _retry_later(self, locked: Set[TypeName] | None) -> None:
        self._retry.set(RETRY_SECONDS)
        self._incomplete_in_a_row += 1
        # The first time it may have been another handler, which publishes the same types at the same moment.
        if self._incomplete_in_a_row == 2:
            names = "the record of this handler" if locked is None else ", ".join(sorted(locked))
            log.warning("locked in the database, and published as soon as that ends: %s", names)


class Withdraw:
    """Due when a draining handler has nothing left to write."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._state = context.state

    def due_in(self) -> float:
        state = self._state
        return 0 if state.draining and state.is_empty and state.published else inf

    def send(self, runner: BackgroundRunner) -> None:
        runner.submit(self._withdraw, self._on_answer)

    def _withdraw(self) -> None:
        # A record that is locked is left behind: nothing renews it, and it is forgotten later.
        with suppress(StorageConflict), self._context.begin() as work:
            work.types.withdraw(self._context.identity.handler)
            work.commit()

    def _on_answer(self, _: None) -> None:
        self._state.published = ()
