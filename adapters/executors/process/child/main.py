"""The process that runs the user's functions, one at a time: `python -m adapters.executors.process.child.main`."""

import os
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NoReturn

from adapters.executors.functions.discovery import CannotImport
from adapters.executors.functions.registry import FunctionRegistry
from adapters.executors.process.child import prctl
from adapters.executors.process.child.channel import Channel
from adapters.executors.process.child.output import Output
from adapters.executors.process.child.process_state import ProcessState
from adapters.executors.process.child.progress_reporter import ProgressReporter
from adapters.executors.process.ipc import reports
from adapters.executors.process.ipc.frames import Kind
from adapters.executors.process.ipc.log import Log
from adapters.executors.process.ipc.packets import Packet
from adapters.executors.process.ipc.reports import Report
from adapters.executors.process.ipc.shared_page import BegunRun, SharedPage
from adapters.executors.process.pool.oom_kills import prefer_for_oom_kill
from application.ports.executor import Span
from domain.ids import TypeName
from flask_tasks import Progress


class Child:
    """Does what comes over the channel, and says there what became of it."""

    def __init__(
        self, channel: Channel, board: SharedPage, repertoire: FunctionRegistry, output: Output, runs: int
    ) -> None:
        self._supervisor = os.getppid()
        self._channel = channel
        self._board = board
        self._reporter = ProgressReporter(channel, board)
        self._repertoire = repertoire
        self._surroundings = ProcessState(output)
        self._log = Log(output.log)
        self._runs_left = runs

    def serve(self) -> None:
        """Run after run, until the supervisor goes."""
        self._channel.note((Kind.READY, 0, self._repertoire.version()))
        while (packet := self._channel.receive()) is not None:
            if packet.run:
                self._run(packet)
            else:
                self._channel.note(reports.describing(self._repertoire.types()))

    def _run(self, packet: Packet) -> None:
        type = TypeName(packet.type)
        self._channel.flush()  # this one may take long to prepare, go on for long, or be the end of the process
        is_attentive = self._repertoire.prepare(type)
        start = time.monotonic()
        self._board.begin(BegunRun(packet.run, start, is_attentive))
        outcome = self._repertoire.perform(type, packet.args, self._progress(packet))
        if not self._channel.is_ours():  # the function has forked, and this is the copy
            os._exit(0)
        ending = reports.ending(packet.run, Span(start, time.monotonic() - start), outcome)
        is_restored = self._surroundings.restore()
        reports_of_it = [*self._printed(packet.run), ending]
        self._runs_left -= 1
        if not is_restored or self._runs_left == 0 or self._board.retires:
            self._retire(reports_of_it)
        self._channel.note(*reports_of_it)

    def _printed(self, run: int) -> Iterator[Report]:
        """What it has printed, if anything."""
        with suppress(OSError):  # the function has closed even this
            if printed := self._log.new():
                yield reports.printing(run, printed)

    def _retire(self, ending: Sequence[Report]) -> NoReturn:
        """Say so, and wait to be ended together with what the function left running."""
        self._channel.say((Kind.WORN, 0, b""), *ending)
        while os.getppid() == self._supervisor:
            time.sleep(1)
        os._exit(0)

    def _progress(self, packet: Packet) -> Progress:
        report = partial(self._reporter.report, packet.run)
        return Progress(packet.task, packet.attempt, report, partial(self._board.is_cancelled, packet.run))


def main(inbox: str, outbox: str, page: str, log: str, parent: str, runs: str, *entries: str) -> None:
    """Serve with what these files and modules have, for so many runs; 0 is for ever."""
    prctl.die_with_parent(int(parent))
    prctl.adopt_orphans()
    prefer_for_oom_kill()
    channel, board = Channel(int(inbox), int(outbox)), SharedPage(int(page))
    os.close(int(page))
    output = Output(int(log))
    output.open_streams()
    sys.argv = [""]
    code = 1
    try:
        repertoire = FunctionRegistry(entries, Path.cwd())
        output.keep()
        Child(channel, board, repertoire, output, int(runs)).serve()
        code = 0
    except CannotImport as error:
        channel.say((Kind.UNUSABLE, 0, str(error).encode("utf-8", "backslashreplace")))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)  # nothing that a function has registered for the end is to hold it up


if __name__ == "__main__":
    main(*sys.argv[1:])
