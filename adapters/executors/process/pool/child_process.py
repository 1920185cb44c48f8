"""A child as a process: how it is started, how it is talked to, how it ends."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from adapters.executors.process.ipc import packets
from adapters.executors.process.ipc.frames import Frame, Unpacker
from adapters.executors.process.ipc.log import Log
from adapters.executors.process.ipc.memfd import anonymous_file, appending
from adapters.executors.process.ipc.packets import DONT_WAIT, Inbox, Packet
from adapters.executors.process.ipc.shared_page import SharedPage
from adapters.executors.process.pool.oom_kills import oom_kills
from adapters.executors.process.pool.process_tree import CHILD_VARIABLE, kill_tree
from application.ports.executor import Run

ROOT = Path(__file__).resolve().parents[4]
ONE_THREAD = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")
"""Libraries of which each child would take every core for itself."""
OOM_COUNT_SECONDS = 1.0
"""Seconds between two looks at whom the system has ended for memory."""
READ_BYTES = 64 * 1024
"""Bytes that are read at once: as many as a pipe holds, and no more, since the allocator is slow from 128 KiB on."""


class ChildProcess:
    """A process that runs functions, and what connects to it. `is_silent` once it will say no more.

    It retires after so many runs, None for never. `ended_for_memory` says of a dead one that the system had none left.
    """

    def __init__(self, tasks: Sequence[str], directory: Path, runs: int | None = None) -> None:
        self.is_silent = self.ended_for_memory = False
        self._counted_at = self._ended_before = 0.0
        self._unpacker = Unpacker()
        self._mark = secrets.token_hex(8)
        with ExitStack() as undo, ExitStack() as finish:
            self._socket, theirs = map(undo.enter_context, packets.pair())
            self._inbox = Inbox(theirs)
            self.outbox, outbox = os.pipe()
            undo.callback(os.close, self.outbox)
            finish.callback(os.close, outbox)
            page = anonymous_file()
            self.board = undo.enter_context(closing(SharedPage(page)))
            finish.callback(os.close, page)
            log = appending(anonymous_file())
            undo.callback(os.close, log)
            self.log = Log(log)
            os.set_blocking(self.outbox, False)
            descriptors = theirs.fileno(), outbox, page, log
            self._process = _started(tasks, directory, self._mark, descriptors, runs)
            self._connections = undo.pop_all()
        self.id = self._process.pid
        self.death = _descriptor_of_death(self.id)

    def describe(self) -> None:
        """Ask what its functions are."""
        packets.send(self._socket, Packet(0))

    def start(self, number: int, run: Run) -> None:
        """Hand it a run under a number. BlockingIOError if too many wait there, ConnectionError if it is dead."""
        self._count_ended()
        packets.send(self._socket, Packet(number, run.hold.task, run.attempt, run.type, run.args))

    def take_back(self) -> list[int]:
        """The numbers of the runs that had not reached the child: now they never will."""
        numbers = []
        with suppress(BlockingIOError, ConnectionError):
            while packet := self._inbox.receive(DONT_WAIT):
                numbers.append(packet.run)
        return numbers

    def said(self) -> Iterator[Frame]:
        """What it has said since, without what a forked copy of it says. Broken if that cannot be understood."""
        size = READ_BYTES
        while size == READ_BYTES:  # less than was asked for is all that there is
            piece = self._read()
            size = len(piece)
            for frame in self._unpacker.feed(piece):
                if frame.sender == self._process.pid:
                    yield frame

    def _read(self) -> bytes:
        try:
            piece = os.read(self.outbox, READ_BYTES)
        except BlockingIOError:
            return b""
        self.is_silent = not piece
        return piece

    def kill(self) -> None:
        """End it with all that it has started, whatever they are doing. Its death is seen later."""
        self._signal(signal.SIGSTOP)  # or it would go on starting others
        kill_tree(self._process.pid, self._mark)
        self._signal(signal.SIGKILL)

    def has_died(self) -> bool:
        """Whether its end has come, where `death` does not say so."""
        return self._process.poll() is not None

    def bury(self) -> str:
        """After its death: end what it has left, give back what connected to it. Answers how it died."""
        self._signal(signal.SIGKILL)
        kill_tree(self._process.pid, self._mark)
        code = self._process.wait()
        self._connections.close()
        if self.death is not None:
            os.close(self.death)
        self.ended_for_memory = code == -signal.SIGKILL and (oom_kills() or 0) > self._ended_before
        if self.ended_for_memory:
            return "was killed by SIGKILL, as there was no memory left"
        return f"was killed by {_signal(-code)}" if code < 0 else f"ended with exit code {code}"

    def _count_ended(self) -> None:
        """How many the system had ended for memory about when this run began: what comes after may be its own end."""
        now = time.monotonic()
        if now - self._counted_at > OOM_COUNT_SECONDS:
            self._counted_at, self._ended_before = now, oom_kills() or 0

    def _signal(self, number: int) -> None:
        # A process that nobody has waited for keeps its number, and its group keeps it too.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def _started(
    tasks: Sequence[str], directory: Path, mark: str, descriptors: tuple[int, ...], runs: int | None
) -> "subprocess.Popen[bytes]":
    numbers = map(str, (*descriptors, os.getpid(), runs or 0))
    return subprocess.Popen(
        [sys.executable, "-m", "adapters.executors.process.child.main", *numbers, *tasks],
        stdin=subprocess.DEVNULL,
        stdout=2,
        pass_fds=descriptors,
        cwd=directory,
        env=_environment(os.environ, mark),
        start_new_session=True,
    )


def _descriptor_of_death(process: int) -> int | None:
    """It becomes readable when the process ends; None where the system has no such thing."""
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(process)
    except OSError:
        return None


def _environment(ours: Mapping[str, str], mark: str) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(ROOT), ours.get("PYTHONPATH"))))
    one_thread = {f"{library}_NUM_THREADS": "1" for library in ONE_THREAD}
    return {CHILD_VARIABLE: mark} | one_thread | {**ours, "PYTHONPATH": path, CHILD_VARIABLE: mark}


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
