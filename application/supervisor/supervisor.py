"""The supervisor of a handler: one thread that owns the state, times runs out, and never blocks on the storage."""

from collections.abc import Sequence
from math import inf

from application.ports.executor import Executor, Run
from application.ports.wake_up import Topic
from application.supervisor.claimed_tasks import ClaimedTask, StopReason
from application.supervisor.executor_events import ExecutorEvents
from application.supervisor.lane import Lane
from application.supervisor.linger import Linger
from application.supervisor.shutdown import Shutdown
from application.supervisor.state import SupervisorState
from domain.failure import Failure

MAX_QUEUED_SECONDS = 1.0
"""Seconds after which a claimed task that has not started is given back."""
MAX_WAIT_SECONDS = 5.0
"""Seconds after which a step begins even if nothing has happened."""


class Supervisor:
    """Everything happens in `run`, on the caller's thread; `wake`, `stop` and `drain` may be called on others."""

    def __init__(
        self, state: SupervisorState, executor: Executor, lanes: Sequence[Lane], grace: float, linger: Linger
    ) -> None:
        self._state = state
        self._clock = state.clock
        self._claimed_tasks = state.claimed_tasks
        self._executor = executor
        self._executor_events = ExecutorEvents(state)
        self._lanes = lanes
        self._shutdown = Shutdown(state, grace, linger)

    def wake(self, topic: Topic) -> None:
        """Act on a notification of this topic."""
        self._state.notify(topic)
        self._executor.wake()

    def stop(self) -> None:
        """Let running tasks finish within the grace, and give back the others; a second call ends the grace."""
        self._shutdown.request()
        self._executor.wake()

    def drain(self) -> None:
        """Claim nothing more, let running tasks finish, however long they take, and stop."""
        self._shutdown.request_drain()
        self._executor.wake()

    def run(self) -> None:
        """Work until stopped. Raises NothingToRun: the user's code cannot be imported at the start."""
        self._executor.open()
        try:
            while not self._is_finished():
                self.step()
        finally:
            # First, so that no call outlives what it uses.
            for lane in self._lanes:
                lane.close()
            self._executor.close(self._shutdown.seconds_left)

    def step(self) -> None:
        """Receive, decide, dispatch, send: each once, so that each sees what the ones before it have changed."""
        self._receive()
        self._decide()
        self._dispatch()
        self._send()

    def _receive(self) -> None:
        """Wait for the executor's events, and take them and the lanes' answers."""
        events = self._executor.events(self._max_wait_seconds())
        self._state.read_clock()
        apply = self._executor_events.apply
        for event in events:
            apply(event)
        for lane in self._lanes:
            lane.receive()

    def _decide(self) -> None:
        """Decide which runs to stop and which queued tasks to give back. The lanes' answers named the lost runs."""
        self._shutdown.advance()
        self._mark_overdue()
        self._release_queued()
        self._state.take_over()

    def _dispatch(self) -> None:
        """Carry the decisions out at the executor. Stopping and recalling come first, as they make room."""
        self._stop_runs()
        self._recall_pending()
        self._start_queued()

    def _send(self) -> None:
        """Send what is due, which includes all that this step has made due."""
        for lane in self._lanes:
            lane.send()

    def _mark_overdue(self) -> None:
        now = self._clock.monotonic()
        for claimed in self._claimed_tasks.started.values():
            if claimed.stop_reason is None and claimed.deadline <= now:
                self._state.stop(claimed, StopReason.TIMEOUT, self._timeout_failure(claimed))

    def _timeout_failure(self, claimed: ClaimedTask) -> Failure:
        retriable = any(type.retries_timeout for type in self._state.types if type.name == claimed.task.type)
        return Failure("TimeoutError", f"it took longer than {claimed.task.timeout:g} s", retriable=retriable)

    def _release_queued(self) -> None:
        self._state.release(claimed.task for claimed in self._claimed_tasks.pop_queued(self._given_back_before()))

    def _given_back_before(self) -> float:
        """Monotonic time: tasks that were claimed before it and have not started are given back."""
        return inf if self._state.draining else self._clock.monotonic() - MAX_QUEUED_SECONDS

    def _stop_runs(self) -> None:
        for hold, failure in self._state.runs_to_stop:
            self._executor.end(hold, failure)
        self._state.runs_to_stop.clear()

    def _recall_pending(self) -> None:
        """Give back what the executor has no room for, if the first task that it has not started is too old."""
        first = self._claimed_tasks.first_pending()
        if first and first.claimed_at < self._given_back_before():
            recalled = [self._claimed_tasks.remove(hold) for hold in self._executor.recall()]
            self._state.release(claimed.task for claimed in recalled if claimed)

    def _start_queued(self) -> None:
        tasks, limited = self._claimed_tasks, self._state.limited
        while tasks.queued and self._executor.free and not tasks.waits_for_record():
            if limited.turns and self._keeps_last_slot():
                return
            claimed = tasks.dispatch_first()
            task = claimed.task
            self._executor.start(Run(claimed.hold, task.type, task.attempt, claimed.args, task.traceparent))
            if limited.turns and claimed.task.type not in limited:
                limited.is_their_turn = True

    def _keeps_last_slot(self) -> bool:
        """Whether the last idle slot is kept for a task of a limited type, which is claimed only for an idle slot."""
        state, first = self._state, self._claimed_tasks.queued[0]
        if first.task.type in state.limited or not state.may_claim:
            return False
        is_last = self._claimed_tasks.idle_slots(self._executor.free, self._executor.concurrency) <= 1
        return is_last and state.limited.may_start(self._clock.monotonic())

    def _is_finished(self) -> bool:
        if not self._state.draining:
            return False
        return self._shutdown.is_overdue() or all(lane.is_drained for lane in self._lanes)

    def _max_wait_seconds(self) -> float:
        """Seconds until this supervisor has something to do though nothing happens."""
        moments = [claimed.claimed_at + MAX_QUEUED_SECONDS for claimed in self._claimed_tasks.oldest()]
        moments += [claimed.deadline for claimed in self._claimed_tasks.started.values() if claimed.stop_reason is None]
        moments += [self._shutdown.due_at(), self._state.takes_over_at]
        waits = [lane.due_in() for lane in self._lanes]
        return max(min(MAX_WAIT_SECONDS, min(moments) - self._clock.monotonic(), *waits), 0)
