"""Run a command that ends together with the owner of this process. Run as a script: guardian.py COMMAND ARGUMENT…

Standard input is a pipe whose other end only the owner has. A byte in it asks for the end of the command. The pipe
closes when the owner ends, however it ends, and the command is ended then too, by the signals that PostgreSQL
understands. The first line of standard output is the command's pid.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from types import FrameType

# Signals, and seconds to wait after each: the fast shutdown, the immediate one, after which the next start recovers
# without a loss, and the last resort.
STOP_SEQUENCE = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, None))
# The smart shutdown lets connected clients finish: they are ending too, as the owner has ended.
ORPHAN_SEQUENCE = ((signal.SIGTERM, 11.0),)
PR_SET_PDEATHSIG = 1


def main(command: list[str]) -> int:
    """Run the command until it ends or the owner does. Its exit status, or the number of the signal that ended it."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, preexec_fn=_end_with_guardian)

    def end(signum: int, frame: FrameType | None) -> None:
        child.send_signal(signal.SIGINT)

    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, end)
    threading.Thread(target=_stop_with_owner, args=(child,), daemon=True).start()
    # An owner that has already ended does not read.
    with suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), b"%d\n" % child.pid)
    return abs(child.wait())


def _end_with_guardian() -> None:
    """Have Linux end the command when this guardian is killed; elsewhere the next owner ends a leftover server.

    Runs in the child.
    """
    if sys.platform == "linux":
        with suppress(ImportError, OSError):
            import ctypes

            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _stop_with_owner(child: subprocess.Popen[bytes]) -> None:
    is_asked = os.read(0, 1)
    for signum, seconds in STOP_SEQUENCE if is_asked else (*ORPHAN_SEQUENCE, *STOP_SEQUENCE):
        child.send_signal(signum)
        try:
            child.wait(seconds)
            return
        except subprocess.TimeoutExpired:
            continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
