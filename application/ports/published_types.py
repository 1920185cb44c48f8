"""Published types: the types that handlers can run."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from application.ports.limits import UNLIMITED, TypeLimits
from application.ports.monitoring import DrainRequest, HandlerInfo
from domain.ids import HandlerId, TypeName
from domain.task_type import TaskType


@dataclass(frozen=True, slots=True)
class PublishedType:
    """A type as it was last published.

    `live`: whether a live handler can run it.
    `next`: its next tick; None if it has no schedule, or an abandoned one.
    `abandoned`: whether no live handler can run it while others live. It stays so while none lives.
    `changed`: when a publication last brought another schema, by the storage's own clock; None if none did.
    `limits`: those that hold: its declared ones, but for those that an operator has set.
    `skipped`: the number of ticks that were skipped, as the type was paused or accepted no tasks.
    """

    type: TaskType
    live: bool
    next: datetime | None = None
    abandoned: bool = False
    changed: datetime | None = None
    limits: TypeLimits = UNLIMITED
    skipped: int = 0


DEAD_HANDLER_RETENTION = timedelta(days=1)
"""The time for which a dead handler is still known."""


class PublishedTypes(Protocol):
    """The types that were published, and the handlers that published them. Types outlive their handlers."""

    def publish(
        self,
        handler: HandlerId,
        types: Sequence[TaskType],
        until: datetime,
        process: str | None = None,
        lease: float | None = None,
        info: HandlerInfo | None = None,
    ) -> Set[TypeName]:
        """Publish types, and return the names of those that another transaction has locked: they are as before.

        After: the handler lives until then with exactly these types, which replace older ones of the same names.

        Schedules are not written here, but by Schedules. `process` is the name of the handler's process, if it has
        one, by which others on its machine see that it has ended. `lease` is the seconds of its leases, and `info` is
        what Monitoring shows of it.

        Raises StorageConflict, soon: the record of the handler is locked.
        """
        ...

    def renew(self, handler: HandlerId, until: datetime, is_draining: bool = False) -> bool:
        """Before: published. After: the handler lives until then. False, and no change, if it is unknown.

        `is_draining`: whether it has begun to stop, which changes nothing but its `liveness`.

        Raises StorageConflict, at once: the record is locked. Nothing has changed then.
        """
        ...

    def withdraw(self, handler: HandlerId) -> None:
        """After: the handler is unknown, unless its record is locked; its types are still known.

        Raises StorageConflict, at once: the records of all handlers are locked.
        """
        ...

    def ask_to_drain(self, handler: HandlerId, request: DrainRequest) -> bool:
        """Before: published. After: the handler finds this request, in place of an earlier one, until it is unknown.

        False, and no change, if it is unknown.

        Raises StorageConflict, soon: its record is locked. Nothing has changed then.
        """
        ...

    def forget_dead(self, now: datetime) -> int:
        """After: handlers that died DEAD_HANDLER_RETENTION ago or earlier are unknown, but for locked records.

        Returns their number.
        """
        ...

    def review(self, now: datetime) -> None:
        """After: a type that no live handler has while others live is abandoned since then, now at the latest.

        One that a live handler has is not abandoned. A type that is locked is left as it is.
        """
        ...

    def forget_abandoned(self, now: datetime, since: datetime, limit: int) -> Sequence[TypeName]:
        """Before: abandoned since then or longer, and without a live handler and a task. After: unknown.

        So are the schedules of these types, and the dead handlers that had them: one that comes back to life publishes
        its types again. A type is left as it is if it is locked, or its schedule or one of these handlers is.

        Returns the names of the types, at most `limit`.
        """
        ...

    def forget(self, name: TypeName, now: datetime) -> bool:
        """Before: without a live handler and a task. After: unknown, abandoned or not.

        So are its schedule, its declared limits, and the dead handlers that had it. False, and no change, if it is
        unknown or used, or its schedule or one of these handlers is locked.

        Raises StorageConflict: the type is locked for long.
        """
        ...

    def schemas_elsewhere(self, type: TypeName, handler: HandlerId, now: datetime) -> Set[str]:
        """The schemas of that type that were published by other handlers which are alive at `now`."""
        ...

    def all(self, now: datetime) -> Sequence[PublishedType]:
        """Every type that was published and not forgotten, in the order of names."""
        ...
