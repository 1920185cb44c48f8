"""Published types: what handlers say that they can run."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.ids import HandlerId, TypeName
from domain.task_type import TaskType


@dataclass(frozen=True, slots=True)
class PublishedType:
    """A type as it was last published, and whether a handler lives that can run it.

    `next` is when it recurs; None where it does not, or its schedule is abandoned.
    """

    type: TaskType
    live: bool
    next: datetime | None = None


DEAD_HANDLER_RETENTION = timedelta(days=1)
"""How long a handler that stopped living is still known."""


class PublishedTypes(Protocol):
    """The types that anybody ever published; a handler that has gone leaves its types known."""

    def publish(
        self, handler: HandlerId, types: Sequence[TaskType], until: datetime, process: str | None = None
    ) -> None:
        """After: the handler lives until then with exactly these types, which replace older ones of their names.

        Their schedules are not written here, but as Schedules. `process` is the name by which others on its machine can
        see when it ends, if there is one.
        """
        ...

    def renew(self, handler: HandlerId, until: datetime) -> bool:
        """Before: published. After: it lives until then. False if the handler is not known (any more)."""
        ...

    def withdraw(self, handler: HandlerId) -> None:
        """After: the handler is not known; its types still are."""
        ...

    def processes(self) -> Mapping[HandlerId, str]:
        """The processes of the handlers that are known, alive or not, as far as they have said which."""
        ...

    def forget_dead(self, now: datetime) -> int:
        """After: handlers that stopped living a day ago or more are not known. Answers how many there were."""
        ...

    def schemas_elsewhere(self, type: TypeName, handler: HandlerId, now: datetime) -> Set[str]:
        """The schemas of that type that other handlers than this one have published which live then."""
        ...

    def all(self, now: datetime) -> Sequence[PublishedType]:
        """Every type that was ever published, by name."""
        ...
