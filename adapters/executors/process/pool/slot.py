"""A place of the executor: one child from its start to its end, and the runs that it was handed."""

from collections import deque
from collections.abc import Sequence
from functools import partial

from adapters.executors.functions.failures import crashed, out_of_memory
from adapters.executors.process.ipc import reports
from adapters.executors.process.ipc.frames import BrokenFrame, Frame, Kind
from adapters.executors.process.ipc.log import Printed
from adapters.executors.process.ipc.shared_page import ProgressNote
from adapters.executors.process.pool.child_process import ChildProcess
from adapters.executors.process.pool.dispatched_run import DispatchedRun
from adapters.executors.process.pool.event_loop import EventLoop
from adapters.executors.process.pool.log_watch import LogWatch
from adapters.executors.process.pool.memory_watch import MemoryWatch
from adapters.executors.process.pool.progress_watch import ProgressWatch
from adapters.executors.process.pool.slot_listener import SlotListener
from application.ports.executor import Described, Event, Failed, Progressed, Span, Started
from domain.failure import Failure
from domain.ids import Hold
from domain.progress import Progress

QUEUE_SECONDS = 0.005
"""Seconds of work that a child may have before it, since a run that it finds there costs it no wait for us."""
MAX_QUEUED_RUNS = 128
"""Runs that a child may have before it."""
SHORT_RUN_SECONDS = 0.05
"""Seconds of a run behind which one other may stand, however long the two take together."""
STALL_SECONDS = 0.01
"""Seconds after which one that was to be short has turned out long, and nothing stands behind it: so many at least."""
STALL_FACTOR = 2
"""And so many times as long as it was expected to take."""
START_POLL_SECONDS = 0.01
"""Seconds that a run may go on before it is told that it has begun: of most, the end tells it soon enough."""
LOST_RUN_SECONDS = 10.0
"""Seconds after which a run that a child has come to, and has not begun, never reached it: a function took it away."""
CANCEL_GRACE_SECONDS = 0.5
"""Seconds that a function has to clean up, if it can see that it should."""
DEATH_GRACE_SECONDS = 0.1
"""Seconds between the end of a child's pipe and its death, if it was about to die."""
DEATH_POLL_SECONDS = 0.05
"""Seconds between two looks for a dead child, where the system does not tell."""


class Slot:
    """Runs go on one after the other. Whatever stands behind others stands behind such as are expected to be short."""

    def __init__(self, child: ChildProcess, loop: EventLoop, owner: SlotListener, memory: int | None = None) -> None:
        self._child, self._loop, self._owner = child, loop, owner
        self._sent: deque[DispatchedRun] = deque()
        self.seconds = 0.0
        """How long the runs that are there are expected to take."""
        self._last_seen = 0
        self._is_watched = self._is_stalled = self._is_expecting = self._is_looking = False
        self._is_doomed = self._is_dead = False
        self.was_ready = self.has_ended_a_run = self.is_worn = False
        self._progress = ProgressWatch(child.board, loop, self._tell_progress)
        self._log_watch = LogWatch(child.log, loop, lambda: bool(self._sent))
        self._memory = MemoryWatch(child.id, memory, loop, child.board.retire, self._end_excess)
        loop.listen(child.outbox, self._hear)
        if child.death is not None:
            loop.listen(child.death, self._see_death)
        else:
            loop.later(DEATH_POLL_SECONDS, self._look_for_death)

    @property
    def is_idle(self) -> bool:
        """Whether no run is there."""
        return not self._sent

    @property
    def room(self) -> int:
        """How many runs more can be started here."""
        if not self.was_ready or self._is_doomed or self._is_stalled:
            return 0
        if not self._sent:
            return 1
        if self.seconds < QUEUE_SECONDS:
            return MAX_QUEUED_RUNS - len(self._sent)
        return 1 if len(self._sent) == 1 and self.seconds < SHORT_RUN_SECONDS else 0

    @property
    def may_share(self) -> bool:
        """Whether others would begin something sooner that stands behind here."""
        return len(self._sent) > 1 and self.seconds >= QUEUE_SECONDS and not (self._is_stalled or self._is_dead)

    def start(self, sent: DispatchedRun) -> None:
        """Before: there is room."""
        try:
            self._child.start(sent.number, sent.run)
        except (BlockingIOError, ConnectionError):  # it has too much before it, or is dead, which is seen soon
            self._stall(True)
            self._owner.gave_back([sent.run])
        else:
            self._sent.append(sent)
            self.seconds += sent.seconds
            self._log_watch.begin()
            self._memory.begin()
            self._go_on()

    def share(self) -> None:
        """Give back what the child has not come to."""
        self._take_back()

    def end(self, hold: Hold, failure: Failure) -> None:
        """Stop that run, unless its outcome has arrived."""
        self._look_at_board()
        self._hear()  # then, since what has ended before another began has said so
        for sent in [each for each in self._sent if each.run.hold == hold and each.ended is None]:
            sent.ended = failure
            self._take_back()
            if sent in self._sent:
                self._stop(sent)

    def close(self) -> None:
        """End the child and what it has started."""
        self._child.kill()
        self._bury()

    def _watch(self) -> None:
        if self._sent and self._sent[0].seconds < SHORT_RUN_SECONDS and not (self._is_watched or self._is_stalled):
            self._is_watched = True
            self._loop.later(max(STALL_SECONDS, STALL_FACTOR * self._sent[0].seconds), self._look_for_stall)

    def _look_for_stall(self) -> None:
        self._is_watched = False
        if not self._sent:
            return
        first = self._sent[0].number
        if first == self._last_seen:
            self._take_back()
        self._last_seen = first
        self._watch()

    def _look_soon(self) -> None:
        if self._sent and not self._is_looking:
            self._is_looking = True
            self._loop.later(START_POLL_SECONDS, self._look)

    def _look(self) -> None:
        self._is_looking = False
        self._look_at_board()
        if self._sent and not self._sent[0].has_begun:
            self._look_soon()

    def _look_at_board(self) -> None:
        """Tell what has begun since. What was handed over before it has begun too: its end is still to be heard."""
        if (begun := self._child.board.begun()) is None:
            return
        for sent in [each for each in self._sent if each.number <= begun.run and not each.has_begun]:
            sent.has_begun = True
            if sent.number == begun.run:
                sent.is_attentive = begun.is_attentive
                self._owner.happened(Started(sent.run.hold, begun.at))

    def _expect_a_start(self) -> None:
        if self._sent and not self._is_expecting:
            self._is_expecting = True
            self._loop.later(LOST_RUN_SECONDS, partial(self._look_for_start, self._sent[0].number))

    def _look_for_start(self, number: int) -> None:
        self._is_expecting = False
        self._look_at_board()
        if not self._is_doomed and self._sent and not self._sent[0].has_begun:
            if self._sent[0].number == number:
                self._take_back()
            if self._sent and self._sent[0].number == number:
                self._kill()  # what it has not begun goes to its successor
            self._expect_a_start()

    def _take_back(self) -> None:
        """Whatever the child has not come to is free for others; and nothing is put behind what it is at."""
        numbers = set(self._child.take_back())
        self._stall(True)  # first, or it would be given them again
        self._drop([each for each in self._sent if each.number in numbers])
        self._stall(bool(self._sent))

    def _stall(self, value: bool) -> None:
        self._is_stalled = value
        self._owner.changed(self)

    def _drop(self, unbegun: Sequence[DispatchedRun]) -> None:
        self._sent = deque(each for each in self._sent if each not in unbegun)
        self.seconds = sum(each.seconds for each in self._sent)
        if not self._sent:
            self._memory.end()
        for each in unbegun:
            if each.ended is not None:
                self._owner.ended(each.run, Failed(each.run.hold, each.ended), None)
        self._owner.gave_back([each.run for each in unbegun if each.ended is None])

    def _stop(self, sent: DispatchedRun) -> None:
        if sent.is_attentive:
            self._child.board.cancel(sent.number)
            self._loop.later(CANCEL_GRACE_SECONDS, partial(self._end_grace, sent))
        else:
            self._kill()

    def _end_excess(self, most: int) -> None:
        """The run that goes on has taken more memory than it may."""
        self._hear()
        for sent in list(self._sent)[:1]:
            why = f"the process that ran it had more in memory than the {most // 2**20} MiB of CHILD_MEMORY"
            self.end(sent.run.hold, out_of_memory(why))

    def _end_grace(self, sent: DispatchedRun) -> None:
        if sent in self._sent:
            self._kill()

    def _kill(self) -> None:
        if not self._is_doomed:
            self._is_doomed = True
            self._child.kill()
            self._owner.changed(self)

    def _hear(self) -> None:
        if self._child.is_silent:
            return
        try:
            for frame in self._child.said():
                self._take(frame)
            self._go_on()
        except BrokenFrame:
            self._child.is_silent = True
            self._take_back()
            for sent in self._sent:  # the end of any may have been in what cannot be read
                sent.has_begun = True
            self._give_up("something else wrote into the pipe between its process and the handler")
        if self._child.is_silent:
            self._loop.ignore(self._child.outbox)
            self._loop.later(DEATH_GRACE_SECONDS, partial(self._give_up, "its process closed the pipe to the handler"))

    def _go_on(self) -> None:
        """Some may have ended: others come next, and there is room for more."""
        self._watch()
        self._look_soon()
        self._expect_a_start()
        self._owner.changed(self)

    def _give_up(self, why: str) -> None:
        """The child cannot be understood any more."""
        if not self._is_doomed:
            self._look_at_board()
            for each in self._sent:
                each.ended = each.ended or (crashed(why) if each.has_begun else None)
            self._kill()

    def _take(self, frame: Frame) -> None:
        if self._sent and self._sent[0].number == frame.run:
            self._report(self._sent[0], frame)
            return
        match frame.kind:
            case Kind.READY if not self._owner.knows(frame.payload):
                self._child.describe()
            case Kind.READY:
                self._get_ready()
            case Kind.DESCRIBED:
                self._owner.happened(Described(reports.types(frame)))
                self._get_ready()
            case Kind.UNUSABLE:
                self._owner.unusable(frame.payload.decode())
            case Kind.WORN:
                self.is_worn = True

    def _get_ready(self) -> None:
        self.was_ready = True
        self._owner.changed(self)

    def _report(self, sent: DispatchedRun, frame: Frame) -> None:
        match frame.kind:
            case Kind.SUCCEEDED | Kind.FAILED:
                self._progress.look()
                ended = reports.ended(frame, sent.run.hold, sent.log)
                self._settle(sent, ended, ended.span)
            case Kind.LOG:
                self._read(sent, reports.printed(frame))
            case Kind.PROGRESSED:
                self._look_at_board()
                self._progress.look_and_go_on()

    def _read(self, sent: DispatchedRun, printed: Printed) -> None:
        sent.log = printed.text()
        self._child.log.told(printed)

    def _tell_progress(self, note: ProgressNote) -> None:
        for sent in self._sent:
            if sent.number == note.run and sent.ended is None:
                self._owner.happened(Progressed(sent.run.hold, Progress(note.value, note.message)))

    def _settle(self, sent: DispatchedRun, event: Event, span: Span | None) -> None:
        """What the run was stopped with comes before what became of it afterwards."""
        self._sent.popleft()
        if not self._sent:
            self._memory.end()
        self.seconds = self.seconds - sent.seconds if self._sent else 0.0
        self._is_stalled = False
        self.has_ended_a_run = True
        self._owner.ended(sent.run, Failed(sent.run.hold, sent.ended, sent.log) if sent.ended else event, span)
        if self.is_worn:
            self._kill()

    def _see_death(self) -> None:
        self._is_doomed = self._is_dead = True
        self._hear()
        self._look_at_board()
        self._read_what_is_left()
        how = self._bury()
        self._owner.changed(self)
        for sent in [each for each in self._sent if each.has_begun or each.ended]:
            failure = (out_of_memory if self._child.ended_for_memory else crashed)(f"the process that ran it {how}")
            self._settle(sent, Failed(sent.run.hold, failure, sent.log), None)
        self._drop(list(self._sent))
        self._memory.end()
        self._owner.died(self, how)

    def _read_what_is_left(self) -> None:
        """What a run had printed that did not come to say so."""
        for sent in [each for each in self._sent if each.has_begun and not each.log]:
            if printed := self._child.log.new():
                self._read(sent, printed)

    def _bury(self) -> str:
        self._loop.ignore(self._child.outbox)
        if self._child.death is not None:
            self._loop.ignore(self._child.death)
        self._progress.close()
        return self._child.bury()

    def _look_for_death(self) -> None:
        if self._child.has_died():
            self._see_death()
        elif not self._is_dead:
            self._loop.later(DEATH_POLL_SECONDS, self._look_for_death)
