"""Output of a child: it goes into the log of its runs, and some of it to the handler's own output as well."""

import os
import sys

from adapters.executors.process.child.c_stdout import COutput
from adapters.executors.process.child.descriptors import copied, moved
from adapters.executors.process.child.tee import stream


class Output:
    """The log, and the streams that lead there.

    Until `capture`, output goes to the handler's own output alone: it comes from the import, and belongs to no run.
    """

    def __init__(self, log: int) -> None:
        self.log = moved(log)
        self._handler_output = copied(2)
        self._c_output = COutput()

    def open_streams(self) -> None:
        """Open Python's standard streams anew."""
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
        sys.stdout = stream(1, "strict", self.log, self._handler_output)
        sys.stderr = stream(2, "backslashreplace", self.log, self._handler_output)

    def capture(self) -> None:
        """From now on lead the descriptors 1 and 2 into the log."""
        self._c_output.flush()
        for descriptor in (1, 2):
            os.dup2(self.log, descriptor)

    def flush(self) -> None:
        """Flush the buffer of C libraries; Python's streams are flushed elsewhere."""
        self._c_output.flush()
