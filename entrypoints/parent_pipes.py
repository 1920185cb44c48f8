"""How a process and the one that started it know of each other: by two pipes, one for the end, one for the beginning.

`LIFELINE_FD` names a descriptor that closes when the starter has ended, however it ended. `READY_FD` names one that
takes a line when this process is ready. Without the variables, nothing here does anything.
"""

import os
import signal
import threading
import time
from contextlib import suppress

MAX_WAIT_SECONDS = 10.0


def hold() -> None:
    """From now on, end when our starter has ended: by SIGTERM, and after 10 seconds with all that is in our group."""
    _keep_to_ourselves("READY_FD")
    lifeline = _keep_to_ourselves("LIFELINE_FD")
    if lifeline is not None:
        del os.environ["LIFELINE_FD"]
        threading.Thread(target=_end_with, args=(lifeline,), name="lifeline", daemon=True).start()


def ready(text: str) -> None:
    """Tell our starter, in one line, that we are ready. Only the first time counts."""
    descriptor = _keep_to_ourselves("READY_FD")
    if descriptor is not None:
        del os.environ["READY_FD"]
        with suppress(BrokenPipeError):
            os.write(descriptor, text.encode() + b"\n")
        os.close(descriptor)


def _keep_to_ourselves(variable: str) -> int | None:
    """The descriptor that the variable names, from now on closed in whatever we start."""
    if not (number := os.environ.get(variable)):
        return None
    os.set_inheritable(int(number), False)
    return int(number)


def _end_with(descriptor: int) -> None:
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(MAX_WAIT_SECONDS)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
