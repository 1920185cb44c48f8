"""Progress of a running task: the function reports it, and reads whether its task was cancelled."""

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

MAX_MESSAGE_CHARACTERS = 1_000
TRACE_VARIABLE = "TRACEPARENT"
"""The environment variable that has the place of a run in a trace, while its function runs in a process of its own."""


def _ignore(value: float, message: str) -> None:
    """Report nothing, where no handler listens, as in a test."""


class Progress:
    """Parameter of a function that reports progress. A handler passes it to each parameter with this annotation.

    `Progress()` is a value for tests of such a function.
    """

    # Of the class, since a handler makes an object for each run, and few runs report anything.
    _share = 0.0
    _complaints: frozenset[str] = frozenset()

    def __init__(
        self,
        task_id: int = 0,
        attempt: int = 1,
        report: Callable[[float, str], None] = _ignore,
        is_cancelled: Callable[[], bool] = bool,
        traceparent: str | None = None,
    ) -> None:
        self._task_id, self._attempt = task_id, attempt
        self._report, self._is_cancelled, self._traceparent = report, is_cancelled, traceparent

    def __call__(self, value: float, message: str = "") -> None:
        """Show the progress in the view of the task. Never raises.

        - `value`: the completed share, from 0 to 1. The nearest share replaces another number; anything else changes
          nothing. The log says so once.
        - `message`: the current step, of at most 1,000 characters.
        """
        try:
            self._share = self._nearest_share(value)
            self._report(self._share, self._short_text(message))
        except Exception as error:
            self._complain(f"progress could not be reported: {type(error).__name__}")

    def _nearest_share(self, value: Any) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = float("nan")
        share = min(max(number, 0.0), 1.0) if number == number else self._share
        if share != number:
            self._complain("progress is a share from 0 to 1", f": {share} is shown instead of {repr(value)[:100]}")
        return share

    def _short_text(self, message: object) -> str:
        text = str(message)
        if len(text) <= MAX_MESSAGE_CHARACTERS:
            return text
        self._complain(f"a message of progress is cut to {MAX_MESSAGE_CHARACTERS:,} characters")
        return f"{text[: MAX_MESSAGE_CHARACTERS - 1]}…"

    def _complain(self, what: str, details: str = "") -> None:
        """Write a line into the log, once for each complaint."""
        if what not in self._complaints:
            self._complaints |= {what}
            with suppress(Exception):  # the function may have closed standard error
                sys.stderr.write(f"{what}{details}\n")

    @property
    def task_id(self) -> int:
        """The id of the task."""
        return self._task_id

    @property
    def attempt(self) -> int:
        """The number of the attempt, from 1."""
        return self._attempt

    @property
    def traceparent(self) -> str | None:
        """The place of this run in a trace, as the header of that name has it; None without a trace."""
        return self._traceparent

    @property
    def cancelled(self) -> bool:
        """Whether the task was cancelled or exceeded its timeout. Half a second is left to clean up."""
        return self._is_cancelled()
