"""Wake-ups: hints that there is something to look at. They may be lost or come too often; polling makes it certain."""

from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Protocol


class Topic(StrEnum):
    """What happened: a task waits, a running one was taken from its handler, or one is not as it was."""

    WAITING = "waiting"
    TAKEN = "taken"
    CHANGED = "changed"


class Notifier(Protocol):
    """The side that tells."""

    def notify(self, topic: Topic) -> None:
        """Soon after, those who listen are woken. Never blocks, never raises, joins calls that come close together."""
        ...


class Listener(Protocol):
    """The side that is told."""

    def listen(self, wake: Callable[[Topic], None], topics: Collection[Topic]) -> None:
        """From now on `wake` is called, from another thread, soon after a notification of one of these topics.

        Also when some may have been lost.
        """
        ...

    def close(self) -> None:
        """No call of `wake` begins after this."""
        ...
