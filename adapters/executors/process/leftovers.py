"""What a function leaves behind in the process that ran it, so that the process is replaced."""

import os
import sys
import threading


class Leftovers:
    """Compares with how the process was when this was made."""

    def __init__(self) -> None:
        self._folder = os.getcwd()
        self._streams = _streams()

    def are_there(self) -> bool:
        """Whether a thread, a process or a changed stream is left. Flushes what was printed, and goes home."""
        flush()
        with_others = _threads() or _processes() or _streams() != self._streams
        return with_others or not self._is_home()

    def _is_home(self) -> bool:
        try:
            os.chdir(self._folder)
        except OSError:
            return False
        return True


def flush() -> None:
    """Print what is buffered, as far as the function has left that possible."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:  # closed, replaced, full: it is the function's, and so is the loss
            continue


def _threads() -> bool:
    if threading.active_count() == 1:
        return False
    return any(not each.daemon for each in threading.enumerate() if each is not threading.main_thread())


def _processes() -> bool:
    """Whether one is still alive; those that have ended are forgotten."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _streams() -> list[tuple[int, int] | None]:
    return [_identity(descriptor) for descriptor in (0, 1, 2)]


def _identity(descriptor: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino
