"""Where the output of a child goes: into the log of its runs, and some of it to the handler's own output as well."""

import os
import sys

from adapters.executors.process.child.c_stdout import COutput
from adapters.executors.process.child.descriptors import copied, moved
from adapters.executors.process.child.tee import stream


class Output:
    """The log, the streams that lead there, and the one who looks on.

    Until `keep`, what is printed goes to the handler's output alone: it is of the import, and of no run.
    """

    def __init__(self, log: int) -> None:
        self.log = moved(log)
        self._onlooker = copied(2)
        self._of_c = COutput()

    def open_streams(self) -> None:
        """Anew."""
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
        sys.stdout = stream(1, "strict", self.log, self._onlooker)
        sys.stderr = stream(2, "backslashreplace", self.log, self._onlooker)

    def keep(self) -> None:
        """From now on what is written to the descriptors 1 and 2 goes into the log."""
        self._of_c.flush()
        for descriptor in (1, 2):
            os.dup2(self.log, descriptor)

    def flush(self) -> None:
        """What Python does not know of."""
        self._of_c.flush()
