"""Meaning of the frames that a child sends: about itself, and about the first of its runs."""

from collections.abc import Callable

from adapters.executors.process.ipc import reports
from adapters.executors.process.ipc.frames import Frame, Kind
from adapters.executors.process.ipc.log import Printed
from adapters.executors.process.ipc.shared_page import ProgressNote
from adapters.executors.process.pool.child_process import ChildProcess
from adapters.executors.process.pool.dispatched_run import DispatchedRun
from adapters.executors.process.pool.event_loop import EventLoop
from adapters.executors.process.pool.progress_watch import ProgressWatch
from adapters.executors.process.pool.run_queue import RunQueue
from adapters.executors.process.pool.slot_listener import SlotListener
from adapters.executors.process.pool.start_watch import StartWatch
from application.ports.executor import Described, Event, Progressed, Span
from domain.progress import Progress

OnReady = Callable[[], None]
OnOutcome = Callable[[DispatchedRun, Event, Span | None], None]


class FrameHandler:
    """Turns frames into events. A frame of a run counts only while this run is the first one."""

    def __init__(
        self,
        child: ChildProcess,
        loop: EventLoop,
        queue: RunQueue,
        listener: SlotListener,
        start_watch: StartWatch,
        on_ready: OnReady,
        on_outcome: OnOutcome,
    ) -> None:
        self._child, self._queue, self._listener, self._start_watch = child, queue, listener, start_watch
        self._on_ready, self._on_outcome = on_ready, on_outcome
        self._progress_watch = ProgressWatch(child.page, loop, self._report_progress)

    def handle(self, frame: Frame) -> None:
        """Handle the next frame."""
        runs = self._queue.runs
        if not runs or runs[0].number != frame.run:
            self._handle_of_child(frame)
            return
        run = runs[0]
        match frame.kind:
            case Kind.SUCCEEDED | Kind.FAILED:
                self._progress_watch.look()
                event = reports.unpack_outcome(frame, run.run.hold, run.log)
                self._on_outcome(run, event, event.span)
            case Kind.LOG:
                self._keep_log(run, reports.unpack_log(frame))
            case Kind.PROGRESSED:
                self._start_watch.look()
                self._progress_watch.begin()

    def read_unreported_logs(self) -> None:
        """Read what a run had printed whose child has died before it could report it."""
        for run in [each for each in self._queue.runs if each.has_begun and not each.log]:
            if printed := self._child.log.read_new():
                self._keep_log(run, printed)

    def _handle_of_child(self, frame: Frame) -> None:
        match frame.kind:
            case Kind.READY if self._listener.needs_description(frame.payload):
                self._child.ask_for_types()
            case Kind.READY:
                self._on_ready()
            case Kind.DESCRIBED:
                self._listener.on_event(Described(reports.unpack_types(frame)))
                self._on_ready()
            case Kind.UNUSABLE:
                self._listener.on_unusable(frame.payload.decode())
            case Kind.LAST_RUN if self._queue.runs:
                self._queue.runs[0].is_last = True

    def _keep_log(self, run: DispatchedRun, printed: Printed) -> None:
        run.log = printed.text()
        self._child.log.skip(printed)

    def _report_progress(self, note: ProgressNote) -> None:
        for run in self._queue.runs:
            if run.number == note.run and run.ended is None:
                self._listener.on_event(Progressed(run.run.hold, Progress(note.value, note.message)))
