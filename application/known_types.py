"""The published types as one process knows them: asked of the storage at most once a second."""

from collections.abc import Mapping
from contextlib import suppress
from threading import Lock

from application.errors import StorageUnavailable, UnknownType
from application.ports.clock import Clock
from application.ports.published_types import PublishedType
from application.ports.unit_of_work import Begin
from domain.ids import TypeName
from domain.task_type import DEFAULT

MAX_AGE_SECONDS = 1.0
"""Seconds for which what was read counts as known."""


def attempts(types: Mapping[TypeName, PublishedType], name: TypeName) -> int:
    """How many attempts a task of this type has; one where nobody knows it any more."""
    return types[name].type.options.max_attempts if name in types else 1


class KnownTypes:
    """Safe to use from several threads: one of them reads, the others go on with what is known."""

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock
        self._lock = Lock()
        self._read_at = float("-inf")
        self._types: Mapping[TypeName, PublishedType] = {}

    def all(self) -> Mapping[TypeName, PublishedType]:
        """Every type that was ever published by its name, and `default` in any case.

        StorageUnavailable where nothing is known yet; for a while that is told to everybody without asking again.
        """
        if self._clock.monotonic() - self._read_at >= MAX_AGE_SECONDS and self._lock.acquire(blocking=not self._types):
            try:
                self._refresh()
            finally:
                self._lock.release()
        if not self._types:
            raise StorageUnavailable
        return self._types

    def named(self, name: TypeName) -> PublishedType:
        """That type. UnknownType, with the known ones, if nobody has published it."""
        types = self.all()
        if name not in types:
            raise UnknownType(name, list(types))
        return types[name]

    def is_live(self, name: TypeName) -> bool:
        """Whether a handler lives that can run tasks of this type."""
        found = self.all().get(name)
        return found is not None and found.live

    def _refresh(self) -> None:
        """Read anew. While the storage is away, what was known before still is."""
        if self._clock.monotonic() - self._read_at < MAX_AGE_SECONDS:
            return
        with suppress(StorageUnavailable):
            self._types = self._read()
        self._read_at = self._clock.monotonic()

    def _read(self) -> Mapping[TypeName, PublishedType]:
        with self._begin() as work:
            published = {each.type.name: each for each in work.types.all(self._clock.now())}
        return {DEFAULT.name: PublishedType(DEFAULT, live=False)} | published
