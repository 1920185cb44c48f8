"""What an iterator gives, to be gone through more than once."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Remembered(Iterable[T]):
    """The iterator is asked for each item once, when it is first come to. One at a time goes through it."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._seen: list[T] = []

    def __iter__(self) -> Iterator[T]:
        yield from self._seen
        for item in self._items:
            self._seen.append(item)
            yield item
