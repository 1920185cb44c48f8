"""The published types as one process knows them: read from the storage at most once a second."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from threading import Lock

from application.errors import StorageUnavailable, UnknownType
from application.ports.clock import Clock
from application.ports.published_types import PublishedType
from application.ports.unit_of_work import Begin
from domain.ids import TypeName
from domain.task import Task
from domain.task_type import DEFAULT, TaskType
from domain.waiting import WaitingFor

MAX_AGE_SECONDS = 1.0
"""Seconds for which the types that were read last are used."""


def attempts(types: Mapping[TypeName, PublishedType], name: TypeName) -> int:
    """The number of attempts that a task of this type may have; 1 if the type is unknown."""
    return types[name].type.options.max_attempts if name in types else 1


class KnownTypes:
    """A cache of the published types. Thread-safe: one thread reads while the others use the types that it has."""

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock
        self._lock = Lock()
        self._read_at = float("-inf")
        self._types: Mapping[TypeName, PublishedType] = {}

    def all(self) -> Mapping[TypeName, PublishedType]:
        """Every type that was published and not forgotten, by name, and `default` in any case.

        Raises StorageUnavailable: no types could be read yet. They are not read again for MAX_AGE_SECONDS.
        """
        if self._clock.monotonic() - self._read_at >= MAX_AGE_SECONDS and self._lock.acquire(blocking=not self._types):
            try:
                self._refresh()
            finally:
                self._lock.release()
        if not self._types:
            raise StorageUnavailable
        return self._types

    def offered(self) -> Sequence[TaskType]:
        """The types that documents and messages name: those that are not abandoned, and `default` in any case.

        Raises StorageUnavailable, as `all`.
        """
        types = self.all().values()
        return [each.type for each in types if each.type.name == DEFAULT.name or not each.abandoned]

    def named(self, name: TypeName) -> PublishedType:
        """The type of that name, abandoned or not. Raises UnknownType, with the types that are offered."""
        types = self.all()
        if name not in types:
            raise UnknownType(name, [type.name for type in self.offered()])
        return types[name]

    def published(self, name: TypeName) -> PublishedType:
        """The type of that name that some handler has published. Raises UnknownType, with those that are offered."""
        found = self.named(name)
        if found.type is DEFAULT:
            raise UnknownType(name, [type.name for type in self.offered() if type is not DEFAULT])
        return found

    def is_live(self, name: TypeName) -> bool:
        """Whether a live handler can run tasks of this type."""
        found = self.all().get(name)
        return found is not None and found.live

    def held_back_by(self, task: Task, now: datetime) -> WaitingFor | None:
        """The limit of its type that the task waits for once it is due; None if there is none."""
        found = self.all().get(task.type)
        return found.limits.held_back_by(now, task.lane) if found else None

    def read_again(self, name: TypeName) -> PublishedType:
        """The type of that name as it is stored now. Raises UnknownType."""
        with self._lock:
            self._read_at = float("-inf")
            self._refresh()
        return self.named(name)

    def _refresh(self) -> None:
        """Read the types if they are too old. While the storage is away, those that were read last stay."""
        if self._clock.monotonic() - self._read_at < MAX_AGE_SECONDS:
            return
        with suppress(StorageUnavailable):
            self._types = self._read()
        self._read_at = self._clock.monotonic()

    def _read(self) -> Mapping[TypeName, PublishedType]:
        with self._begin() as work:
            published = {each.type.name: each for each in work.types.all(self._clock.now())}
        lives_any = any(each.live for each in published.values())
        return {DEFAULT.name: PublishedType(DEFAULT, live=False, abandoned=lives_any)} | published
