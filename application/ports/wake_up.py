"""Wake-ups: hints that there is something to look at. They may be lost or come too often; polling makes it certain."""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol


class Topic(StrEnum):
    """What happened: a task waits, or a running one was taken from its handler."""

    WAITING = "waiting"
    TAKEN = "taken"


class Notifier(Protocol):
    """The side that tells."""

    def notify(self, topic: Topic) -> None:
        """Soon after, those who listen are woken. Never blocks, never raises, joins calls that come close together."""
        ...


class Listener(Protocol):
    """The side that is told."""

    def listen(self, wake: Callable[[Topic], None]) -> None:
        """From now on `wake` is called, from another thread, soon after a notification; also when some may be lost."""
        ...

    def close(self) -> None:
        """No call of `wake` begins after this."""
        ...
