"""A cache of results, or parts of them, that arguments refer to: each is read once for all tasks of a handler."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from sys import getsizeof

from domain.ids import TaskId

MAX_CACHED_BYTES = 64 * 1024 * 1024
"""Bytes of memory of all cached texts. The newest one may have more."""


@dataclass(slots=True)
class ResultCache:
    """Texts by task and path, with the end of the task from which they are. The least recently used are dropped.

    A text is None where the path leads to no value. One thread at a time uses it.
    """

    max_bytes: int = MAX_CACHED_BYTES
    _texts: OrderedDict[tuple[TaskId, str], tuple[datetime, str | None]] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def end_of(self, id: TaskId, paths: Iterable[str]) -> datetime | None:
        """The end of the task from which all of these texts are; None if some are missing, or are of other ends."""
        ends = {each[0] if (each := self._texts.get((id, path))) else None for path in paths}
        return ends.pop() if len(ends) == 1 else None

    def get(self, id: TaskId, path: str, end: datetime) -> tuple[str | None] | None:
        """The text, in a tuple; None if it is not cached, or is of another end."""
        found = self._texts.get((id, path))
        if found is None or found[0] != end:
            return None
        self._texts.move_to_end((id, path))
        return (found[1],)

    def put(self, id: TaskId, path: str, end: datetime, text: str | None) -> None:
        """Keep a text instead of the one before."""
        self._drop((id, path))
        self._texts[id, path] = (end, text)
        self._bytes += getsizeof(text)
        while self._bytes > self.max_bytes and len(self._texts) > 1:
            self._drop(next(iter(self._texts)))

    def _drop(self, key: tuple[TaskId, str]) -> None:
        if dropped := self._texts.pop(key, None):
            self._bytes -= getsizeof(dropped[1])
