"""Wake-ups within one process."""

from collections.abc import Callable

from application.ports.wake_up import Topic


class MemoryWakeUp:
    """Implements both application.ports.wake_up.Notifier and Listener: who notifies wakes at once."""

    def __init__(self) -> None:
        self._wakes: list[Callable[[Topic], None]] = []

    def notify(self, topic: Topic) -> None:
        for wake in list(self._wakes):
            wake(topic)

    def listen(self, wake: Callable[[Topic], None]) -> None:
        self._wakes.append(wake)

    def close(self) -> None:
        self._wakes.clear()
