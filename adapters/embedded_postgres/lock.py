"""One owner a data folder, whatever becomes of it: a file lock, which the system frees with the last who holds it."""

import fcntl
import os
import time
from pathlib import Path

from adapters.embedded_postgres.errors import AlreadyRunning

# A keeper whose owner was killed holds the lock until its server has ended.
MAX_WAIT_SECONDS = 45.0


class Lock:
    """The lock of a data folder; its file names the owner."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.descriptor = -1

    def take(self) -> None:
        """Hold it from now on. AlreadyRunning where another living process does."""
        if self.descriptor >= 0:
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._wait_for(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self.descriptor = descriptor

    def free(self) -> None:
        """Give it back."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def owner(self) -> int | None:
        """The living process that holds it."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY)
        except OSError:
            return None
        try:
            return None if _locks(descriptor) else _living_owner(descriptor)
        finally:
            os.close(descriptor)

    def _wait_for(self, descriptor: int) -> None:
        deadline = time.monotonic() + MAX_WAIT_SECONDS
        while not _locks(descriptor):
            owner = _living_owner(descriptor)
            if owner or time.monotonic() > deadline:
                raise AlreadyRunning(self._path.parent, owner)
            time.sleep(0.02)


def _locks(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _living_owner(descriptor: int) -> int | None:
    try:
        pid = int(os.pread(descriptor, 20, 0))
        os.kill(pid, 0)
    except PermissionError:
        return pid
    except (ValueError, ProcessLookupError):
        return None
    return pid
