"""Publish: say what this handler can run, and take it back at the end."""

from collections.abc import Callable, Sequence
from math import inf

from application.supervisor.background import BackgroundRunner
from application.supervisor.operations.operation import Context
from application.use_cases.publish_types import PublishTypes
from domain.task_type import TaskType


class Publish:
    """Due whenever the types are others than those that were published; nothing is claimed before."""

    def __init__(
        self, context: Context, publish: PublishTypes, published: Callable[[Sequence[TaskType]], None]
    ) -> None:
        self._context = context
        self._state = context.state
        self._publish = publish
        self._published = published

    def due_in(self) -> float:
        state = self._state
        return 0 if state.types and state.types != state.published and not state.draining else inf

    def send(self, runner: BackgroundRunner) -> None:
        types = self._state.types

        def call() -> None:
            me = self._context.identity
            self._publish(me.handler, types, self._context.lease().until, me.process)

        def then(_: None) -> None:
            self._state.published = types
            self._published(types)

        runner.send(call, then)


class Withdraw:
    """Due when a handler that stops has nothing left to tell."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._state = context.state

    def due_in(self) -> float:
        state = self._state
        return 0 if state.draining and state.is_empty and state.published else inf

    def send(self, runner: BackgroundRunner) -> None:
        def call() -> None:
            with self._context.begin() as work:
                work.types.withdraw(self._context.identity.handler)
                work.commit()

        def then(_: None) -> None:
            self._state.published = ()

        runner.send(call, then)
