"""The process that runs the user's functions, one at a time. start.py imports this module, and calls `main`."""

import atexit
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from time import monotonic, sleep  # here, before a function can replace them
from typing import NoReturn

from adapters.executors.functions.discovery import CannotImport
from adapters.executors.functions.registry import FunctionRegistry
from adapters.executors.process.child.channel import Channel
from adapters.executors.process.child.leftovers import end_programs
from adapters.executors.process.child.oom_score import prefer_for_oom_kill
from adapters.executors.process.child.output import Output
from adapters.executors.process.child.progress_reporter import ProgressReporter
from adapters.executors.process.child.restore_process import ProcessSnapshot
from adapters.executors.process.child.settings import enable_stack_dumps
from adapters.executors.process.ipc import prctl, reports
from adapters.executors.process.ipc.frames import Kind
from adapters.executors.process.ipc.log import Log
from adapters.executors.process.ipc.packets import END, Packet
from adapters.executors.process.ipc.reports import Report
from adapters.executors.process.ipc.shared_page import BegunRun, SharedPage
from application.ports.executor import Span
from domain.ids import TypeName
from flask_tasks import Progress
from flask_tasks.progress import TRACE_VARIABLE

INSPECTION_SECONDS = 0.001
"""Seconds of short runs between two inspections of the process."""
RARE_SECONDS = 0.005
"""Seconds of short runs between two looks at what functions rarely change."""


class Child:
    """Carries out the packets that arrive on the channel, and reports there. It ends itself after `max_runs` runs."""

    def __init__(
        self, channel: Channel, page: SharedPage, registry: FunctionRegistry, output: Output, max_runs: int, mark: int
    ) -> None:
        self._supervisor = os.getppid()
        self._mark = mark
        self._channel = channel
        self._page = page
        self._reporter = ProgressReporter(channel, page)
        self._registry = registry
        self._snapshot = ProcessSnapshot(output)
        self._log = Log(output.log)
        self._runs_left = max_runs
        self._endings: Sequence[Report] = ()
        self._inspected_at = self._looked_at = monotonic()
        self._spoilt = ""

    def serve(self) -> None:
        """Carry out packets until the supervisor asks for the end, or has gone."""
        self._channel.buffer((Kind.READY, 0, self._registry.version()))
        while (packet := self._channel.receive(self._prepare_to_wait)) not in (None, END):
            self._buffer_endings()
            if packet.run:
                self._run(packet)
            else:
                self._channel.buffer(reports.pack_types(self._registry.types()))

    def _run(self, packet: Packet) -> None:
        type = TypeName(packet.type)
        self._channel.flush()  # this run may take long, to prepare or to go on, or end the process
        if monotonic() - self._looked_at > RARE_SECONDS:
            self._look()
        is_attentive = self._registry.prepare(type)
        start = monotonic()
        self._page.begin(BegunRun(packet.run, start, is_attentive))
        with in_environment(packet.traceparent):
            outcome = self._registry.perform(type, packet.args, self._progress(packet))
        if not self._channel.is_original():  # the function has forked, and this is the copy
            os._exit(0)
        end = monotonic()
        ending = reports.pack_outcome(packet.run, Span(start, end - start), outcome)
        leftover = self._snapshot.restore() or self._spoilt
        self._endings = *self._logged(packet.run), ending
        self._runs_left -= 1
        if leftover or self._runs_left == 0 or self._page.ends_after_run:
            self._end(leftover)
        if end - self._inspected_at > INSPECTION_SECONDS:
            self._inspect()

    def _prepare_to_wait(self) -> None:
        """Send what is unsent, and do what takes too long between two short runs: now no run waits for it."""
        if self._endings:  # otherwise no run has ended since the last inspection
            self._inspect()
        self._channel.flush()
        prctl.renew_options(self._mark)

    def _inspect(self) -> None:
        """End if the runs since the last inspection have changed what can do harm to later ones."""
        self._inspected_at = monotonic()
        if leftover := self._snapshot.restore_slow():
            self._end(leftover)
        self._buffer_endings()

    def _look(self) -> None:
        """Put back what functions rarely change. If that fails, the run that begins is the last one."""
        self._looked_at = monotonic()
        self._spoilt = self._snapshot.restore_rare()

    def _buffer_endings(self) -> None:
        """Have the end of the last run sent: it is not the last one of this process."""
        self._channel.buffer(*self._endings)
        self._endings = ()

    def _logged(self, run: int) -> Iterator[Report]:
        """A report of the output of the run, if it has any."""
        with suppress(OSError):  # the function has closed even the log
            if printed := self._log.read_new():
                yield reports.pack_log(run, printed)

    def _end(self, leftover: str) -> NoReturn:
        """Report the last run, run the exit functions, and wait to be killed with what the function left running.

        `leftover`: why no run may follow, if the function is the reason.
        """
        self._channel.send(reports.pack_last_run(leftover), *self._endings)
        end_programs()
        run_exit_functions()
        self._channel.send((Kind.EXITED, 0, b""))
        while os.getppid() == self._supervisor:
            sleep(1)
        os._exit(0)

    def _progress(self, packet: Packet) -> Progress:
        report = partial(self._reporter.report, packet.run)
        is_cancelled = partial(self._page.is_cancelled, packet.run)
        return Progress(packet.task, packet.attempt, report, is_cancelled, packet.traceparent or None)


@contextmanager
def in_environment(traceparent: str) -> Iterator[None]:
    """Have the programs and the clients of a run find its place in its trace."""
    if not traceparent:
        yield
        return
    os.environ[TRACE_VARIABLE] = traceparent
    try:
        yield
    finally:
        os.environ.pop(TRACE_VARIABLE, None)


def run_exit_functions() -> None:
    """Call what was registered with `atexit`. The supervisor bounds the time."""
    with suppress(BaseException):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()


def main(inbox: str, outbox: str, page_file: str, log: str, parent: str, max_runs: str, *entries: str) -> None:
    """Run the functions of these files and modules, for at most so many runs; 0 is no limit."""
    prctl.die_with_parent(int(parent))
    prctl.adopt_orphans()
    mark = int(os.environ[prctl.CHILD_VARIABLE], 16)
    prctl.mark_descendants(mark)
    prefer_for_oom_kill()
    channel, page = Channel(int(inbox), int(outbox)), SharedPage(int(page_file))
    os.close(int(page_file))
    output = Output(int(log))
    output.open_streams()
    sys.argv = [""]
    code = 1
    enable_stack_dumps()
    try:
        registry = FunctionRegistry(entries, Path.cwd())
        output.capture()
        Child(channel, page, registry, output, int(max_runs), mark).serve()
        run_exit_functions()
        code = 0
    except CannotImport as error:
        channel.send((Kind.UNUSABLE, 0, str(error).encode("utf-8", "backslashreplace")))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)  # threads must not delay it
