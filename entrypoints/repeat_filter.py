"""The filter of a process's log that leaves repetitions out."""

import logging

from application.isolation import ONCE

MAX_MESSAGES_KNOWN = 10_000
"""Messages that are known to be logged, after which all may be logged again."""


class RepeatFilter(logging.Filter):
    """Lets the first of equal records pass that are to be logged once, and all other records."""

    def __init__(self) -> None:
        super().__init__()
        self._known: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be logged."""
        return not getattr(record, ONCE, False) or self._is_new(record.getMessage())

    def _is_new(self, message: str) -> bool:
        if message in self._known:
            return False
        if len(self._known) >= MAX_MESSAGES_KNOWN:
            self._known.clear()
        self._known.add(message)
        return True
