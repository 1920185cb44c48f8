"""A child as a process: its start, the messages to and from it, its end."""

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from adapters.executors.process.ipc import packets
from adapters.executors.process.ipc.frames import Frame, Unpacker
from adapters.executors.process.ipc.log import Log
from adapters.executors.process.ipc.memfd import anonymous_file, appending
from adapters.executors.process.ipc.packets import DESCRIBE, DONT_WAIT, END, Inbox, Packet
from adapters.executors.process.ipc.shared_page import SharedPage
from adapters.executors.process.pool.oom_kills import oom_kills
from adapters.executors.process.pool.process_tree import kill_tree, reap_orphans
from adapters.executors.process.pool.spawn import pidfd, spawn
from application.ports.executor import Run

OOM_COUNT_SECONDS = 1.0
"""Seconds between two counts of the processes that the system has killed for memory."""
REAP_SECONDS = 0.2
"""Seconds that the system may take to hand over the exit code of a process that has ended."""
READ_BYTES = 64 * 1024
"""Bytes that are read at once: as many as a pipe holds, and no more, since the allocator is slow from 128 KiB on."""


class ChildProcess:
    """A process that runs functions, and its connections.

    - `pipe`: the descriptor from which its frames are read.
    - `pidfd`: the descriptor that becomes readable when it ends; None where the system has none.
    - `page`, `log`: what it shares with the supervisor.
    - `is_silent`: no frame will come any more.
    - `was_oom_killed`: after `reap`, whether the system killed it because there was no memory left.
    """

    def __init__(self, tasks: Sequence[str], directory: Path, max_runs: int | None = None) -> None:
        self.is_silent = self.was_oom_killed = False
        self._oom_kills_counted_at = self._oom_kills_before = 0.0
        self._unpacker = Unpacker()
        self._mark = f"{2**61 + secrets.randbits(60):x}"
        with ExitStack() as undo, ExitStack() as finish:
            self._socket, theirs = map(undo.enter_context, packets.pair())
            self._inbox = Inbox(theirs)
            self.pipe, pipe = os.pipe()
            undo.callback(os.close, self.pipe)
            finish.callback(os.close, pipe)
            page = anonymous_file()
            self.page = undo.enter_context(closing(SharedPage(page)))
            finish.callback(os.close, page)
            log = appending(anonymous_file())
            undo.callback(os.close, log)
            self.log = Log(log)
            os.set_blocking(self.pipe, False)
            self._process = spawn(tasks, directory, self._mark, (theirs.fileno(), pipe, page, log), max_runs)
            self._connections = undo.pop_all()
        self.id = self._process.pid
        self.pidfd = pidfd(self.id)

    def ask_for_types(self) -> None:
        """Ask it to describe its functions."""
        packets.send(self._socket, DESCRIBE)

    def ask_to_end(self) -> None:
        """Ask it to end in order. Raises BlockingIOError, ConnectionError: as in `start`."""
        packets.send(self._socket, END)

    def start(self, number: int, run: Run) -> None:
        """Send it a run under a number.

        Raises BlockingIOError: its socket is full. Raises ConnectionError: it is dead.
        """
        self._count_oom_kills()
        trace = run.traceparent or ""
        packets.send(self._socket, Packet(number, run.hold.task, run.attempt, run.type, run.args, trace))

    def take_back(self) -> list[int]:
        """Take the runs out of its socket that it has not received, and answer their numbers."""
        numbers = []
        with suppress(BlockingIOError, ConnectionError):
            while packet := self._inbox.receive(DONT_WAIT):
                numbers.append(packet.run)
        return numbers

    def frames(self) -> Iterator[Frame]:
        """The frames that have arrived, without those of forked copies. Raises BrokenReport: they make no sense."""
        size = READ_BYTES
        while size == READ_BYTES:  # a shorter read has emptied the pipe
            piece = self._read()
            size = len(piece)
            for frame in self._unpacker.feed(piece):
                if frame.sender == self._process.pid:
                    yield frame

    def _read(self) -> bytes:
        try:
            piece = os.read(self.pipe, READ_BYTES)
        except BlockingIOError:
            return b""
        self.is_silent = not piece
        return piece

    def kill(self) -> None:
        """Kill it with all that it has started. Its death is seen later."""
        self.signal(signal.SIGSTOP)  # or it would go on starting others
        kill_tree(self._process.pid, self._mark)
        self.signal(signal.SIGKILL)

    def has_died(self) -> bool:
        """Whether it has ended, for systems without pidfd."""
        return self._process.poll() is not None

    def reap(self) -> str:
        """After its death: kill what it has started, release its connections, and answer how it died."""
        self.signal(signal.SIGKILL)
        kill_tree(self._process.pid, self._mark)
        code = self._exit_code()
        reap_orphans(self._process.pid, self._mark)
        self._connections.close()
        if self.pidfd is not None:
            os.close(self.pidfd)
        self.was_oom_killed = code == -signal.SIGKILL and (oom_kills() or 0) > self._oom_kills_before
        if self.was_oom_killed:
            return "was killed by SIGKILL, as there was no memory left"
        return f"was killed by {_signal_name(-code)}" if code < 0 else f"ended with exit code {code}"

    def _exit_code(self) -> int:
        """Its exit code. A debugger keeps that of a process which it traces: then it counts as killed by SIGKILL."""
        try:
            return self._process.wait(REAP_SECONDS)
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL

    def _count_oom_kills(self) -> None:
        """Count them about when this run begins: a later one may be that of this child."""
        now = time.monotonic()
        if now - self._oom_kills_counted_at > OOM_COUNT_SECONDS:
            self._oom_kills_counted_at, self._oom_kills_before = now, oom_kills() or 0

    def signal(self, number: int) -> None:
        """Send it a signal, and to the programs that it has started in its group."""
        # A process that has ended keeps its number until it is waited for, and so does its group.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
