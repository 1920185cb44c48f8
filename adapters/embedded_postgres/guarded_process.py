"""A process that ends together with this one, however this one ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

from adapters.embedded_postgres import guardian


class GuardedProcess:
    """A command under a guardian process, in a session of its own: Ctrl-C does not reach it.

    As a context manager it is killed where it has not ended by itself.

    - `lock`: a descriptor that stays open until the command has ended, even where this process ends first.
    """

    def __init__(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: IO[bytes], lock: int) -> None:
        self._guardian = subprocess.Popen(
            # Isolated and without the module site, Python starts in a third of the time.
            [sys.executable, "-I", "-S", guardian.__file__, *command],
            cwd=cwd,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            pass_fds=[lock],
            start_new_session=True,
        )
        try:
            self.pid = int(self._pipe(self._guardian.stdout).readline() or 0)
        except BaseException:
            self.kill()
            raise

    def alive(self) -> bool:
        """Whether the command still runs."""
        return self._guardian.poll() is None

    def wait(self) -> int:
        """Block until the command has ended. Its exit status, or the number of the signal that ended it."""
        return self._guardian.wait()

    def end(self) -> None:
        """End the command and wait until it has."""
        with suppress(BrokenPipeError, ValueError), self._pipe(self._guardian.stdin) as owner_pipe:
            owner_pipe.write(b".")
        self._guardian.wait()
        self._pipe(self._guardian.stdout).close()

    def kill(self) -> None:
        """End the command and the programs that it has started at once, whatever they are doing."""
        if self.alive():
            os.killpg(self._guardian.pid, signal.SIGKILL)
        self.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None
        return pipe
