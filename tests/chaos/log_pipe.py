"""A pipe from a process to its log file, which can be full: a reader that has stopped reading."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

PIPE_BYTES = 4096
F_SETPIPE_SZ = 1031  # Linux


class LogPipe:
    """The reader of the pipe, on a thread of its own until every writer has closed it. `input`: for the process."""

    def __init__(self, log: Path) -> None:
        self._output, self.input = os.pipe()
        with suppress(OSError):
            fcntl.fcntl(self.input, F_SETPIPE_SZ, PIPE_BYTES)
        self._is_read = Event()
        self._is_read.set()
        self._log = log
        Thread(target=self._read, name=f"log of {log.stem}", daemon=True).start()

    def close_input(self) -> None:
        """Leave the pipe to the process that has inherited it."""
        os.close(self.input)

    def stop_reading(self) -> None:
        """Read nothing from now on, and let the pipe be full."""
        self._is_read.clear()
        with suppress(OSError):
            # A description of its own, since the process shares the flags of the other one.
            writer = os.open(f"/proc/self/fd/{self._output}", os.O_WRONLY | os.O_NONBLOCK)
            try:
                for size in (PIPE_BYTES, 64, 1):
                    with suppress(BlockingIOError):
                        while True:
                            os.write(writer, b"\n" * size)
            finally:
                os.close(writer)

    def read_on(self) -> None:
        """Read everything from now on."""
        self._is_read.set()

    def _read(self) -> None:
        with self._log.open("wb", buffering=0) as log:
            while chunk := os.read(self._output, 64 * 1024):
                log.write(chunk)
                self._is_read.wait()
        os.close(self._output)
