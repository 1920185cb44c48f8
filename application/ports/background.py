"""The background runner: makes one storage call at a time, so that its owner's thread never waits for the storage."""

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class BackgroundRunner(Protocol):
    """Owned by one thread, which submits calls and on which their results are delivered."""

    @property
    def is_idle(self) -> bool:
        """Whether a call can be submitted now."""
        ...

    def submit(self, call: Callable[[], T], on_result: Callable[[T], None]) -> None:
        """Before: idle. After: the call is made in the background, and repeated while it raises StorageUnavailable.

        A call that keeps raising StorageConflict, or raises anything else, is given up: `on_result` is not called, and
        the runner is idle after the next delivery, so that other calls have their turn.
        """
        ...

    def deliver_result(self) -> None:
        """Call `on_result` if the call has ended. After: idle, unless a call is still being made."""
        ...

    def close(self) -> None:
        """Give up the call that is being made. Its result is never delivered."""
        ...
