"""Progress of a running task: the function reports it, and reads whether its task was cancelled."""

from collections.abc import Callable


def _ignore(value: float, message: str) -> None:
    """Report nothing, where no handler listens, as in a test."""


class Progress:
    """Parameter of a function that reports progress. A handler passes it to each parameter with this annotation.

    `Progress()` is a value for tests of such a function.
    """

    def __init__(
        self,
        task_id: int = 0,
        attempt: int = 1,
        report: Callable[[float, str], None] = _ignore,
        is_cancelled: Callable[[], bool] = bool,
    ) -> None:
        self._task_id, self._attempt = task_id, attempt
        self._report, self._is_cancelled = report, is_cancelled

    def __call__(self, value: float, message: str = "") -> None:
        """Show the progress in the view of the task.

        - `value`: the completed share, from 0 to 1.
        - `message`: the current step.
        - Raises ValueError: `value` is not from 0 to 1.
        """
        if not 0 <= value <= 1:
            raise ValueError(f"progress is {value!r}: it must be a share from 0 to 1")
        self._report(float(value), str(message))

    @property
    def task_id(self) -> int:
        """The id of the task."""
        return self._task_id

    @property
    def attempt(self) -> int:
        """The number of the attempt, from 1."""
        return self._attempt

    @property
    def cancelled(self) -> bool:
        """Whether the task was cancelled or exceeded its timeout. Half a second is left to clean up."""
        return self._is_cancelled()
