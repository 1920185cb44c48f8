"""Meaning of the frames that a child sends: about itself, and about the first of its runs."""

from collections.abc import Callable

from adapters.executors.process.ipc import parsing
from adapters.executors.process.ipc.frames import BrokenReport, Frame, Kind
from adapters.executors.process.ipc.log import Printed
from adapters.executors.process.ipc.shared_page import ProgressNote
from adapters.executors.process.pool.child_process import ChildProcess
from adapters.executors.process.pool.dispatched_run import DispatchedRun
from adapters.executors.process.pool.event_loop import EventLoop
from adapters.executors.process.pool.progress_watch import ProgressWatch
from adapters.executors.process.pool.run_queue import RunQueue
from adapters.executors.process.pool.slot_listener import SlotListener
from adapters.executors.process.pool.start_watch import StartWatch
from application.ports.executor import Described, Event, Failed, Progressed, Span, Succeeded
from domain.failure import Failure
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
        on_exited: OnReady,
    ) -> None:
        self._child, self._queue, self._listener, self._start_watch = child, queue, listener, start_watch
        self._on_ready, self._on_outcome, self._on_exited = on_ready, on_outcome, on_exited
        self._is_greeted = self._awaits_types = False
        self._progress_watch = ProgressWatch(child.page, loop, self._report_progress)

    def handle(self, frame: Frame) -> None:
        """Handle the next frame. Raises BrokenReport: the child cannot have sent it."""
        runs = self._queue.runs
        if not frame.run:
            self._handle_of_child(frame)
            return
        if not runs or frame.run < runs[0].number:
            return  # a thread has reported progress after its run, or a function twice
        if frame.run > runs[0].number:
            raise BrokenReport("its process reported on a run that it has not come to")
        run = runs[0]
        match frame.kind:
            case Kind.SUCCEEDED | Kind.FAILED:
                self._progress_watch.look()
                span, outcome = parsing.parse_outcome(frame)
                self._end(run, self._start_watch.clamped(run, span), outcome)
            case Kind.LOG:
                self._keep_log(run, parsing.parse_log(frame))
            case Kind.PROGRESSED:
                self._start_watch.look()
                self._progress_watch.begin()
            case _:
                raise BrokenReport(f"its process sent {frame.kind.name} for a run")

    def _end(self, run: DispatchedRun, span: Span, outcome: str | Failure) -> None:
        hold = run.run.hold
        is_failure = isinstance(outcome, Failure)
        self._on_outcome(run, (Failed if is_failure else Succeeded)(hold, outcome, run.log, span), span)  # type: ignore[arg-type]

    def read_unreported_logs(self) -> None:
        """Read what a run had printed whose child has died before it could report it."""
        for run in [each for each in self._queue.runs if each.has_begun and not each.log]:
            if printed := self._child.log.read_new():
                self._keep_log(run, printed)

    def _handle_of_child(self, frame: Frame) -> None:
        match frame.kind:
            case Kind.READY if not self._is_greeted:
                self._is_greeted = True
                self._awaits_types = self._listener.needs_description(frame.payload)
                self._child.ask_for_types() if self._awaits_types else self._on_ready()
            case Kind.DESCRIBED if self._awaits_types:
                self._awaits_types = False
                self._listener.on_event(Described(parsing.parse_types(frame)))
                self._on_ready()
            case Kind.UNUSABLE if not self._is_greeted or self._awaits_types:
                self._listener.on_unusable(parsing.parse_text(frame))
            case Kind.LAST_RUN:
                for run in list(self._queue.runs)[:1]:
                    self._note_last(run, parsing.parse_text(frame))
            case Kind.EXITED if not self._queue.runs:
                self._on_exited()
            case _:
                raise BrokenReport(f"its process sent {frame.kind.name} out of turn")

    def _note_last(self, run: DispatchedRun, leftover: str) -> None:
        run.is_last, run.leftover = True, leftover
        if leftover:
            run.log = run.notice = self._listener.on_leftover(run.run.type, leftover)

    def _keep_log(self, run: DispatchedRun, printed: Printed) -> None:
        text = printed.text()
        end_of_line = "\n" if run.notice and not text.endswith("\n") else ""
        run.log = text + end_of_line + run.notice
        self._child.log.skip(printed)

    def _report_progress(self, note: ProgressNote) -> None:
        for run in self._queue.runs:
            if run.number == note.run and run.ended is None:
                self._listener.on_event(Progressed(run.run.hold, Progress(note.value, note.message)))
