"""Two pipes between a process and its parent: one by which it ends with the parent, one to report that it is ready.

- `LIFELINE_FD`: a descriptor that reaches its end when the parent has ended, however it ended.
- `READY_FD`: a descriptor to which this process writes one line when it is ready.

Without the variables, the functions here do nothing.
"""

import os
import signal
import threading
import time
from contextlib import suppress

MAX_STOP_SECONDS = 10.0
"""Seconds that this process may take to end after SIGTERM, before it is killed."""


def end_with_parent() -> None:
    """From now on, end when the parent has ended: by SIGTERM, and 10 seconds later by SIGKILL to the process group."""
    _private_descriptor("READY_FD")
    lifeline = _private_descriptor("LIFELINE_FD")
    if lifeline is not None:
        del os.environ["LIFELINE_FD"]
        threading.Thread(target=_end_after, args=(lifeline,), name="end with parent", daemon=True).start()


def report_ready(text: str) -> None:
    """Report to the parent, in one line, that this process is ready. Only the first call has an effect."""
    descriptor = _private_descriptor("READY_FD")
    if descriptor is not None:
        del os.environ["READY_FD"]
        with suppress(BrokenPipeError):
            os.write(descriptor, text.encode() + b"\n")
        os.close(descriptor)


def _private_descriptor(variable: str) -> int | None:
    """The descriptor that the variable names, from now on not inherited by child processes."""
    if not (number := os.environ.get(variable)):
        return None
    os.set_inheritable(int(number), False)
    return int(number)


def _end_after(descriptor: int) -> None:
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(MAX_STOP_SECONDS)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
