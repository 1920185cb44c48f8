"""Publish the types that this handler can run, and withdraw them when it stops."""

from collections.abc import Callable, Sequence
from math import inf

from application.ports.background import BackgroundRunner
from application.supervisor.operations.operation import Context
from application.use_cases.publish_types import PublishTypes
from domain.task_type import TaskType


class Publish:
    """Due while the executor's types differ from the published ones; no task is claimed before the first publication.

    `on_published` is called with the types that have been published.
    """

    def __init__(
        self, context: Context, publish: PublishTypes, on_published: Callable[[Sequence[TaskType]], None]
    ) -> None:
        self._context = context
        self._state = context.state
        self._publish = publish
        self._on_published = on_published

    def due_in(self) -> float:
        state = self._state
        return 0 if state.types and state.types != state.published and not state.draining else inf

    def send(self, runner: BackgroundRunner) -> None:
        types = self._state.types

        def call() -> None:
            identity = self._context.identity
            self._publish(identity.handler, types, self._context.lease().until, identity.process, identity.lease)

        runner.submit(call, lambda _: self._on_answer(types))

    def _on_answer(self, types: Sequence[TaskType]) -> None:
        self._state.published = types
        self._on_published(types)


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
        with self._context.begin() as work:
            work.types.withdraw(self._context.identity.handler)
            work.commit()

    def _on_answer(self, _: None) -> None:
        self._state.published = ()
