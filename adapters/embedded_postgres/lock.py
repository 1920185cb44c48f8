"""One owner a data folder: a file lock, which the system frees when the last process that holds it ends."""

import fcntl
import os
import time
from pathlib import Path

from adapters.embedded_postgres.errors import AlreadyRunning

# A guardian whose owner was killed holds the lock until its server has ended.
MAX_WAIT_SECONDS = 45.0


class Lock:
    """The lock of a data folder; its file contains the pid of the owner."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.descriptor = -1

    def acquire(self) -> None:
        """Acquire the lock, unless this object holds it already.

        Raises AlreadyRunning: another living process holds it.
        """
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

    def release(self) -> None:
        """Release the lock, if it is held."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def owner(self) -> int | None:
        """The pid of the living process that holds the lock; None where there is none."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY)
        except OSError:
            return None
        try:
            return None if _try_lock(descriptor) else _living_owner(descriptor)
        finally:
            os.close(descriptor)

    def _wait_for(self, descriptor: int) -> None:
        deadline = time.monotonic() + MAX_WAIT_SECONDS
        while not _try_lock(descriptor):
            owner = _living_owner(descriptor)
            if owner or time.monotonic() > deadline:
                raise AlreadyRunning(self._path.parent, owner)
            time.sleep(0.02)


def _try_lock(descriptor: int) -> bool:
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
