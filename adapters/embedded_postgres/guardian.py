"""Keeps one process for as long as its owner lives. Run as a script: guardian.py COMMAND ARGUMENT…

Standard input is the lifeline, a pipe whose other end only the owner has. A byte asks for the end of the process. And
however the owner ended, the pipe closes, and the process is told to end all the same. The signals are PostgreSQL's. The
first line of standard output is the process's pid.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from types import FrameType

# The fast shutdown, the immediate one (the next start recovers, nothing is lost), and the last resort.
STOP_SEQUENCE = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, None))
# The smart one lets those finish who have a connection: with the owner, they have just learned that it is over.
LEFTOVER_SEQUENCE = ((signal.SIGTERM, 11.0),)
PR_SET_PDEATHSIG = 1


def main(command: list[str]) -> int:
    """Run the command to its end, or to the owner's."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, preexec_fn=_die_with_guardian)

    def end(signum: int, frame: FrameType | None) -> None:
        child.send_signal(signal.SIGINT)

    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, end)
    threading.Thread(target=_stop_with_owner, args=(child,), daemon=True).start()
    # An owner that has ended already no longer listens.
    with suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), b"%d\n" % child.pid)
    return abs(child.wait())


def _die_with_guardian() -> None:
    """In the child. Linux can tell it when we are killed ourselves; elsewhere the next owner ends what was left."""
    if sys.platform == "linux":
        with suppress(ImportError, OSError):
            import ctypes

            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _stop_with_owner(child: subprocess.Popen[bytes]) -> None:
    asked = os.read(0, 1)
    for signum, patience in STOP_SEQUENCE if asked else (*LEFTOVER_SEQUENCE, *STOP_SEQUENCE):
        child.send_signal(signum)
        try:
            child.wait(patience)
            return
        except subprocess.TimeoutExpired:
            continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
