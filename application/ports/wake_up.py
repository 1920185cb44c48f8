"""Wake-ups: hints that the storage has changed. They may be lost or repeated, so polling goes on beside them."""

from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Protocol


class Topic(StrEnum):
    """The kinds of changes.

    - WAITING: a task waits.
    - TAKEN: a running task was taken from its handler.
    - CHANGED: a task has changed.
    - ENDED: a task of a limited type has ended, so that another one may start.
    - LIMITS: the limits of a type are others.
    - DRAIN: a handler was asked to stop.
    """

    WAITING = "waiting"
    TAKEN = "taken"
    CHANGED = "changed"
    ENDED = "ended"
    LIMITS = "limits"
    DRAIN = "drain"


HANDLER_TOPICS = (Topic.WAITING, Topic.TAKEN, Topic.ENDED, Topic.LIMITS, Topic.DRAIN)
"""Topics that a handler listens for."""


class Notifier(Protocol):
    """Sends wake-ups."""

    def notify(self, topic: Topic) -> None:
        """Wake the listeners soon. Never blocks, never raises, and joins calls that come close together."""
        ...


class Listener(Protocol):
    """Receives wake-ups."""

    def listen(self, wake: Callable[[Topic], None], topics: Collection[Topic]) -> None:
        """Call `wake`, from another thread, soon after each notification of one of these topics from now on.

        It is also called when notifications may have been lost.
        """
        ...

    def close(self) -> None:
        """No call of `wake` begins after this."""
        ...
