"""Services of the operating system: death with the parent, adoption of orphans, a mark on all descendants."""

import ctypes
import os
import resource
import signal
import sys
import time
from functools import cache
from threading import Thread

CHILD_VARIABLE = "FLASK_TASKS_CHILD"
"""The environment variable with the mark of a child."""
_SET_PARENT_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36


def die_with_parent(parent: int) -> None:
    """From now on have this process killed when its parent ends."""
    if sys.platform == "linux":
        _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    else:
        Thread(target=_die_after, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """From now on have orphaned descendants become children of this process, where the system can do that."""
    if sys.platform == "linux":
        _prctl(_SET_CHILD_SUBREAPER, 1)


def mark_descendants(mark: int) -> None:
    """From now on have all descendants inherit this mark: a limit of realtime threads that none of them reaches."""
    if sys.platform == "linux":
        _, hard = resource.getrlimit(resource.RLIMIT_RTTIME)
        if hard == resource.RLIM_INFINITY:
            resource.setrlimit(resource.RLIMIT_RTTIME, (mark, hard))


def renew_options(mark: int) -> None:
    """Set again what the functions above have set, since a user's function may have changed it."""
    if sys.platform == "linux":
        _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        _prctl(_SET_CHILD_SUBREAPER, 1)
        mark_descendants(mark)


def _die_after(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(0, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    _libc().prctl(option, value, 0, 0, 0)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
