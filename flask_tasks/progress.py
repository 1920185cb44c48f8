"""How a running task tells how far it is, and learns that it is no longer wanted."""

from collections.abc import Callable


def _nobody(value: float, message: str) -> None:
    """Where no handler listens: a function that is called by a test, say."""


class Progress:
    """Annotate a parameter with it, and the handler hands one over; `Progress()` is good for calling it in a test."""

    def __init__(
        self,
        task_id: int = 0,
        attempt: int = 1,
        report: Callable[[float, str], None] = _nobody,
        is_cancelled: Callable[[], bool] = bool,
    ) -> None:
        self._task_id, self._attempt = task_id, attempt
        self._report, self._is_cancelled = report, is_cancelled

    def __call__(self, value: float, message: str = "") -> None:
        """Show in the view of the task a share from 0 to 1, and what is being done. ValueError for any other number."""
        if not 0 <= value <= 1:
            raise ValueError(f"progress is {value!r}: it takes a share from 0 to 1")
        self._report(float(value), str(message))

    @property
    def task_id(self) -> int:
        """The number of the task."""
        return self._task_id

    @property
    def attempt(self) -> int:
        """Which start of the task this is, from 1."""
        return self._attempt

    @property
    def cancelled(self) -> bool:
        """Whether the task was cancelled or is out of time: there is half a second left to clean up."""
        return self._is_cancelled()
