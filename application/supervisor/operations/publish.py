"""Publish: say what this handler can run, and take it back at the end."""

from collections.abc import Callable, Sequence
from math import inf

from application.supervisor.background import Courier
from application.supervisor.operations.operation import Office
from application.use_cases.publish_types import PublishTypes
from domain.task_type import TaskType


class Publish:
    """Due whenever the types are others than those that were published; nothing is claimed before."""

    def __init__(self, office: Office, publish: PublishTypes, published: Callable[[Sequence[TaskType]], None]) -> None:
        self._office = office
        self._desk = office.desk
        self._publish = publish
        self._published = published

    def due_in(self) -> float:
        desk = self._desk
        return 0 if desk.types and desk.types != desk.published and not desk.draining else inf

    def send(self, courier: Courier) -> None:
        types = self._desk.types

        def errand() -> None:
            me = self._office.identity
            self._publish(me.handler, types, self._office.lease().until, me.process)

        def then(_: None) -> None:
            self._desk.published = types
            self._published(types)

        courier.send(errand, then)


class Withdraw:
    """Due when a handler that stops has nothing left to tell."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._desk = office.desk

    def due_in(self) -> float:
        desk = self._desk
        return 0 if desk.draining and desk.is_empty and desk.published else inf

    def send(self, courier: Courier) -> None:
        def errand() -> None:
            with self._office.begin() as work:
                work.types.withdraw(self._office.identity.handler)
                work.commit()

        def then(_: None) -> None:
            self._desk.published = ()

        courier.send(errand, then)
