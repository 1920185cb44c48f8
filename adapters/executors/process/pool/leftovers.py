"""Types whose runs cost their processes, as they leave something behind: told once each, and expected again."""

import logging

from application.log_lines import keys, one_line
from domain.ids import TypeName

MAX_TYPES = 1_000
"""Types that are known to be told."""
log = logging.getLogger(__name__)


class Leftovers:
    """`expected`: the types whose last run has cost its process. A run that has ended otherwise removes its type."""

    def __init__(self) -> None:
        self.expected: set[TypeName] = set()
        self._told: set[TypeName] = set()

    def notice(self, type: TypeName, why: str) -> str:
        """Log it, and answer the line for the log of the run, if the type is not told yet."""
        if type in self._told or len(self._told) >= MAX_TYPES:
            return ""
        self._told.add(type)
        why = one_line(why, 500)
        line = "a run of %s has cost its process, and the next one imports the functions again: %s"
        log.warning(line, one_line(type), why, extra=keys(type=type))
        return f"the process that ran this is replaced, and imports the functions again: {why}\n"
