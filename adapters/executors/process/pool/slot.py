"""A slot of the executor: one child from its start to its death, and the runs that it is handed.

The states of a slot are in `slot_state.py`. This file changes them; the watches beside it find the reasons.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from weakref import ref

from adapters.executors.functions.failures import crashed, out_of_memory
from adapters.executors.process.ipc.frames import BrokenReport
from adapters.executors.process.pool.child_limits import UNLIMITED, Limits
from adapters.executors.process.pool.child_process import ChildProcess
from adapters.executors.process.pool.death_watch import DeathWatch
from adapters.executors.process.pool.dispatched_run import DispatchedRun
from adapters.executors.process.pool.event_loop import EventLoop
from adapters.executors.process.pool.frame_handler import FrameHandler
from adapters.executors.process.pool.log_watch import LogWatch
from adapters.executors.process.pool.memory_watch import MemoryWatch
from adapters.executors.process.pool.pipe_failure import PipeFailure
from adapters.executors.process.pool.pipe_reader import PipeReader
from adapters.executors.process.pool.run_queue import RunQueue
from adapters.executors.process.pool.run_stopper import RunStopper
from adapters.executors.process.pool.slot_listener import SlotListener
from adapters.executors.process.pool.slot_state import OVERLOADABLE, SlotLifecycle, SlotState, SlotVerb
from adapters.executors.process.pool.stall_watch import StallWatch
from adapters.executors.process.pool.start_watch import StartWatch
from adapters.executors.process.pool.suspension_watch import SuspensionWatch
from application.ports.executor import Event, Failed, Interrupted, Span
from domain.failure import Failure
from domain.ids import Hold, TypeName


class Slot:
    """Runs go on in it one after the other. Others stand only behind such as are expected to be short.

    - `was_ready`: whether the child has ever imported the functions.
    - `is_spare`: whether it waits, without any capacity, to take the place of another slot.
    """

    def __init__(
        self,
        child: ChildProcess,
        loop: EventLoop,
        listener: SlotListener,
        limits: Limits = UNLIMITED,
        is_spare: bool = False,
    ) -> None:
        self._child, self._loop, self._listener, self._limits = child, loop, listener, limits
        self.is_spare = is_spare
        self._lifecycle = SlotLifecycle()
        self._queue = queue = RunQueue()
        self.was_ready = False
        self._start_watch = StartWatch(child.page, loop, queue, listener.on_event, self._end_lost_run)
        self._frames = FrameHandler(
            child, loop, queue, listener, self._start_watch, self._get_ready, self._settle, self._end_exit
        )
        failure = PipeFailure(self._lifecycle, queue, self._start_watch, self.take_back, self.kill)
        self._reader = PipeReader(
            child, loop, self._frames.handle, self._update, failure.give_up_broken, failure.give_up_closed
        )
        self._stopper = RunStopper(child.page, loop, queue, self._start_watch, self._reader, self.take_back, self.kill)
        self._stall_watch = StallWatch(loop, queue, self._lifecycle, self.take_back)
        self._log_watch = LogWatch(child.log, loop, queue, listener.on_event)
        self._memory_watch = MemoryWatch(
            child.id, limits.memory, loop, self._has_runs, child.page.end_after_run, self._stopper.stop_excess
        )
        self._suspension_watch = SuspensionWatch(child, loop, queue, self._stopper.stop)
        self._death_watch = DeathWatch(child, loop, self._settle_death)

    @property
    def is_idle(self) -> bool:
        """Whether there is no run."""
        return not self._queue.runs

    @property
    def seconds(self) -> float:
        """How long the runs that are there are expected to take together."""
        return self._queue.seconds

    @property
    def capacity(self) -> int:
        """How many more runs can be started."""
        return self._queue.capacity if self._lifecycle.state is SlotState.READY and not self.is_spare else 0

    @property
    def is_overloaded(self) -> bool:
        """Whether an idle slot would begin a run sooner that stands behind others here."""
        return self._queue.is_overloaded and self._lifecycle.state in OVERLOADABLE

    @property
    def has_ended_a_run(self) -> bool:
        """Whether any run has ended here."""
        return self._queue.ended_count > 0

    def start(self, run: DispatchedRun) -> None:
        """Hand the run to the child. Before: there is capacity."""
        run.handed_at = time.monotonic()
        try:
            self._child.start(run.number, run.run)
        except (BlockingIOError, ConnectionError):  # its socket is full, or it is dead, which is seen soon
            self._stall()
            self._listener.on_returned([run.run])
            return
        if not self._queue.runs:
            self._log_watch.begin()
            self._memory_watch.begin()
            self._suspension_watch.begin()
        self._queue.append(run)
        self._update()
        if self._limits.runs == self._queue.ended_count + len(self._queue.runs):
            self._listener.on_ending(self)

    def promote(self) -> None:
        """Take the place of a slot that runs nothing more."""
        self.is_spare = False
        self._listener.on_capacity_changed(self)

    def retire(self, why: TypeName | None = None) -> None:
        """Run nothing more. The child has `exit_seconds` to end in order."""
        if self._lifecycle.apply_if_allowed(SlotVerb.RETIRE):
            self.take_back()
            self._loop.call_later(self._limits.exit_seconds, partial(_kill_if_alive, ref(self)))
            self._listener.on_retired(self, why)

    def kill(self) -> None:
        """Kill the child, if it lives. Its death is seen later."""
        if self._lifecycle.apply_if_allowed(SlotVerb.STOP):
            self._child.kill()
            self._listener.on_capacity_changed(self)

    def finish(self) -> bool:
        """Ask the child to end in order, if it is idle or ends already. Answers whether it will."""
        if self._lifecycle.state is SlotState.READY and self.is_idle:
            self.retire()
            with suppress(BlockingIOError, ConnectionError):
                self._child.ask_to_end()
        return self._lifecycle.state is SlotState.RETIRING

    def take_back(self) -> None:
        """Return the runs that the child has not received, and put none behind the others until one has ended."""
        numbers = set(self._child.take_back())
        self._stall()  # first, or the listener would start them here again
        self._return(self._queue.remove(numbers))
        if not self._queue.runs:
            self._lifecycle.apply_if_allowed(SlotVerb.RESUME)
        self._listener.on_capacity_changed(self)

    def end(self, hold: Hold, failure: Failure) -> None:
        """Stop that run, unless its outcome has arrived."""
        self._stopper.stop(hold, failure)

    def close(self) -> None:
        """End the child and all that it has started."""
        self._child.kill()
        self._reap()

    def _has_runs(self) -> bool:
        return bool(self._queue.runs)

    def _update(self) -> None:
        """Watch the first run, and tell the listener of the capacity, after runs were added or have ended."""
        if self._queue.runs:
            self._stall_watch.begin()
            self._start_watch.begin()
        self._listener.on_capacity_changed(self)

    def _get_ready(self) -> None:
        self.was_ready = True
        self._lifecycle.apply_if_allowed(SlotVerb.GET_READY)
        self._listener.on_capacity_changed(self)

    def _stall(self) -> None:
        self._lifecycle.apply_if_allowed(SlotVerb.STALL)
        self._listener.on_capacity_changed(self)

    def _return(self, unbegun: Sequence[DispatchedRun]) -> None:
        for each in unbegun:
            if each.ended is not None:
                self._listener.on_ended(each.run, Failed(each.run.hold, each.ended), None)
        self._listener.on_returned([each.run for each in unbegun if each.ended is None])

    def _end_lost_run(self, first: DispatchedRun) -> None:
        """Give a run to the successor of the child that never received it."""
        if self._lifecycle.allows(SlotVerb.STOP):
            self.take_back()
            if first in self._queue.runs:
                self.kill()

    def _settle(self, run: DispatchedRun, event: Event, span: Span | None) -> None:
        """Report the end of the run. The failure that it was stopped with counts more than its outcome."""
        self._queue.end(run)
        if self._lifecycle.state is SlotState.STALLED:
            self._lifecycle.apply(SlotVerb.RESUME)
        self._listener.on_ended(run.run, Failed(run.run.hold, run.ended, run.log) if run.ended else event, span)
        if run.is_last:
            self.retire(run.run.type if run.leftover else None)

    def _end_exit(self) -> None:
        if self._lifecycle.state is not SlotState.RETIRING:
            raise BrokenReport("its process sent EXITED out of turn")
        self.kill()

    def _settle_death(self) -> None:
        """Read what the child has still reported, and report its runs: those that have begun ended with it."""
        self._lifecycle.apply(SlotVerb.DIE)
        self._reader.read()
        self.take_back()  # before the look: whatever the page says, the child has not come to these
        self._start_watch.look()
        self._frames.read_unreported_logs()
        how = self._reap()
        self._listener.on_capacity_changed(self)
        fail = out_of_memory if self._child.was_oom_killed else crashed
        for run in [each for each in self._queue.runs if each.has_begun or each.ended]:
            hold = run.run.hold
            crash = Failed(hold, fail(f"the process that ran it {how}"), run.log)
            self._settle(run, Interrupted(hold, run.log) if run.is_interrupted else crash, None)
        self._listener.on_unbegun([each.run for each in self._queue.clear()], how)
        self._listener.on_died(self, how)

    def _reap(self) -> str:
        self._reader.close()
        self._death_watch.close()
        return self._child.reap()


def _kill_if_alive(slot: ref[Slot]) -> None:
    """Kill the child of a slot that still exists. Most have died long before, and are not kept for this."""
    if found := slot():
        found.kill()
