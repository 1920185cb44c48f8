"""The clock of the database's host: libfaketime adds to it the seconds in a file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.machine import faketime_library


class HostClock:
    """The clock that the processes see that are started while it is in force.

    The file is read at every look at the clock, so all processes see a step at the same moment. The monotonic clock is
    left alone, as the system leaves it. `is_real`: the clock is never set, and needs no library.
    """

    def __init__(self, file: Path, *, is_real: bool) -> None:
        self.file = file
        self._library = None if is_real else faketime_library()
        self.set_by(0)

    def set_by(self, seconds: int) -> None:
        """Set the clock that much after the true time."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.rename(self.file)

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Processes that are started in the block see this clock."""
        before = dict(os.environ)
        os.environ.update(self._variables())
        try:
            yield
        finally:
            for name in self._variables():
                os.environ.pop(name)
            os.environ.update(before)

    def _variables(self) -> dict[str, str]:
        if self._library is None:
            return {}
        return {
            "LD_PRELOAD": self._library,
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
            "NO_FAKE_STAT": "1",
        }
