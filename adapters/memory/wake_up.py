"""Wake-ups within one process."""

from collections.abc import Callable, Collection

from application.ports.wake_up import Topic


class MemoryWakeUp:
    """Implements application.ports.wake_up.Notifier and Listener: a notification calls the listeners at once."""

    def __init__(self) -> None:
        self._wakes: list[tuple[Callable[[Topic], None], Collection[Topic]]] = []

    def notify(self, topic: Topic) -> None:
        for wake, topics in list(self._wakes):
            if topic in topics:
                wake(topic)

    def listen(self, wake: Callable[[Topic], None], topics: Collection[Topic]) -> None:
        self._wakes.append((wake, topics))

    def close(self) -> None:
        self._wakes.clear()
