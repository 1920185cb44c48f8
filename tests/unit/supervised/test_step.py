"""One step of the supervisor: receive, decide, dispatch, send, each once and in this order."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import inf
from typing import TypeVar

import pytest

from adapters.clocks import ManualClock
from adapters.memory import MemoryStore, MemoryWakeUp
from adapters.memory.autocommit import MemoryAutocommitStore
from adapters.memory.queue import MemoryQueue
from application.errors import StatementRefused
from application.ports.executor import Event, Failed, Run, Started
from application.supervisor.claim_cursors import ClaimCursors
from application.supervisor.claimed_tasks import STOPPED
from application.supervisor.lane import Lane
from application.supervisor.linger import Linger
from application.supervisor.operations.claim_tasks import ClaimTasks
from application.supervisor.operations.find_lost import LOST_POLL_SECONDS, FindLost
from application.supervisor.operations.operation import Context, Identity, Operation
from application.supervisor.operations.record_starts import RecordStarts
from application.supervisor.operations.settle import Settle, SettleBusy
from application.supervisor.prefetch import Prefetch
from application.supervisor.state import SupervisorState
from application.supervisor.supervisor import Supervisor
from domain.failure import Failure
from domain.ids import HandlerId, Hold, TaskId, TypeName
from domain.instants import after
from domain.settlement import Settlement
from domain.status import Status
from domain.task import Task
from domain.task_type import TaskType
from tests.steps import add, add_one, save, submission, task
from tests.storage import in_memory

T = TypeVar("T")
QUICK, SLOW = TypeName("quick"), TypeName("slow")


class HandRunner:
    """A background runner whose call is made when its result is delivered; it notes what is submitted."""

    def __init__(self, journal: list[str], entry: str) -> None:
        self._journal, self._entry = journal, entry
        self._deliver: Callable[[], None] | None = None

    @property
    def is_idle(self) -> bool:
        return self._deliver is None

    def submit(self, call: Callable[[], T], on_result: Callable[[T], None]) -> None:
        assert self.is_idle
        self._journal.append(self._entry)
        self._deliver = lambda: on_result(call())

    def deliver_result(self) -> None:
        if deliver := self._deliver:
            self._deliver = None
            deliver()

    def close(self) -> None:
        self._deliver = None


class HandExecutor:
    """An executor with two slots whose runs go on until they are ended; it notes what is started and ended."""

    concurrency = 2

    def __init__(self, journal: list[str]) -> None:
        self._journal = journal
        self.running: dict[Hold, Run] = {}
        self.next_events: list[Event] = []
        self.waits: list[float] = []

    @property
    def free(self) -> int:
        return self.concurrency - len(self.running)

    def open(self) -> None:
        pass

    def start(self, run: Run) -> None:
        assert self.free
        self._journal.append(f"task {run.hold.task} started")
        self.running[run.hold] = run

    def end(self, hold: Hold, failure: Failure) -> None:
        self._journal.append(f"task {hold.task} ended")
        del self.running[hold]
        self.next_events.append(Failed(hold, failure))

    def finish_all(self) -> None:
        """Let every run fail by itself."""
        self.next_events += [Failed(hold, STOPPED) for hold in self.running]
        self.running.clear()

    def recall(self) -> Sequence[Hold]:
        return []

    def events(self, timeout: float) -> Sequence[Event]:
        self.waits.append(timeout)
        events, self.next_events = self.next_events, []
        return events

    def wake(self) -> None:
        pass

    def close(self, seconds_left: Callable[[], float] = lambda: 0.0) -> None:
        pass


class Bench:
    """A supervisor whose steps a test takes one by one, with a journal of what it did."""

    def __init__(self) -> None:
        self.journal: list[str] = []
        self.clock = ManualClock()
        self.storage = in_memory(MemoryStore())
        self.executor = HandExecutor(self.journal)
        self.state = SupervisorState(self.clock)
        types = [TaskType(name=QUICK), TaskType(name=SLOW)]
        self.state.set_types(types)
        self.state.published = types
        context = Context(self.state, self.storage.begin, self.storage.autocommit, Identity(HandlerId("me"), 30))
        runner = partial(HandRunner, self.journal)
        self.outcome_runner = runner("settlements sent")
        notifier, outbox = MemoryWakeUp(), self.state.outbox
        settling: list[Operation] = [Settle(context, notifier, outbox), SettleBusy(context, notifier, outbox)]
        lanes = [
            Lane(self.state, self.outcome_runner, settling),
            Lane(
                self.state,
                runner("claim sent"),
                [ClaimTasks(context, self.executor), RecordStarts(context, self.executor)],
            ),
            Lane(self.state, runner("search for lost sent"), [FindLost(context)]),
        ]
        self.supervisor = Supervisor(
            self.state, self.executor, lanes, grace=5, linger=Linger(self.state, None, lease=30)
        )

    def step(self) -> list[str]:
        """Take one step, and return what it did."""
        self.journal.clear()
        self.supervisor.step()
        return [*self.journal]

    def suspect(self, *tasks: Task) -> None:
        """Make the tasks suspects."""
        for each in tasks:
            save(self.storage, each.suspected())

    def add(self, *types: TypeName, max_losses: int = 3) -> list[Task]:
        now = self.clock.now()
        return [*add(self.storage, *[submission(type, now=now, max_losses=max_losses) for type in types])]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_claimed_task_is_dispatched_before_the_next_claim_is_sent(bench: Bench):
    bench.add(QUICK)
    assert bench.step() == ["claim sent"]
    assert bench.step() == ["task 1 started", "claim sent", "search for lost sent"]


def test_the_next_claim_is_planned_when_no_queued_task_could_be_dispatched(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    planned: list[tuple[int, int]] = []
    claim_request = Prefetch.claim_request

    def note_and_plan(prefetch: Prefetch, free: int, slots: int, tasks, now: float):
        planned.append((free, len(tasks.queued)))
        return claim_request(prefetch, free, slots, tasks, now)

    monkeypatch.setattr(Prefetch, "claim_request", note_and_plan)
    bench.state.prefetch.record_duration(QUICK, 0.001)
    bench.add(*[QUICK] * 5)
    for _ in range(3):
        bench.step()
    assert (2, 0) in planned
    assert (0, 3) in planned
    assert not [(free, queued) for free, queued in planned if free and queued]


def test_tasks_that_a_claim_brought_in_excess_are_given_back_in_the_same_step(bench: Bench):
    bench.state.prefetch.record_duration(QUICK, 0.001)
    bench.add(SLOW, SLOW, QUICK)
    bench.step()
    did = bench.step()
    assert "settlements sent" in did
    assert did.index("task 1 started") < did.index("settlements sent")
    bench.step()
    assert [task(bench.storage, id).status for id in (1, 2, 3)] == [Status.RUNNING, Status.WAITING, Status.RUNNING]


def test_a_task_that_was_given_back_is_claimed_before_later_ones_without_a_full_claim(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ClaimCursors, "full_claim_due_in", lambda cursors, now: inf)
    monkeypatch.setattr(ClaimCursors, "usable", lambda cursors, now: dict(cursors._last))
    bench.state.prefetch.record_duration(QUICK, 0.001)
    bench.add(SLOW, SLOW, QUICK)
    for _ in range(3):
        bench.step()
    assert task(bench.storage, 2).status is Status.WAITING
    bench.add(SLOW)
    bench.executor.finish_all()
    journal = [entry for _ in range(4) for entry in bench.step()]
    assert next(entry for entry in journal if entry.endswith("started")) == "task 2 started"


def test_a_task_whose_start_was_recorded_is_dispatched_in_the_step_of_the_answer(bench: Bench):
    bench.state.prefetch.record_duration(QUICK, 0.001)
    bench.add(*[QUICK] * 3, max_losses=0)
    bench.step()
    assert bench.step() == ["task 1 started", "task 2 started", "claim sent", "search for lost sent"]
    assert [each.task.id for each in bench.state.claimed_tasks.queued] == [3]
    first = next(iter(bench.executor.running))
    del bench.executor.running[first]
    bench.executor.next_events.append(Failed(first, STOPPED))
    assert bench.step() == ["settlements sent", "claim sent"], "in the lane of the claims, before its start is recorded"
    assert "task 3 started" in bench.step()


def test_a_task_whose_start_cannot_be_recorded_for_a_lock_is_given_back(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(MemoryQueue, "report", lambda queue, reports: [report.hold for report in reports])
    bench.state.prefetch.record_duration(QUICK, 0.001)
    bench.add(*[QUICK] * 3, max_losses=0)
    bench.step()
    bench.step()
    bench.executor.finish_all()
    for _ in range(3):
        bench.step()
    assert [(hold.task, hold.claim) for hold in bench.executor.running] == [(3, 2)], "given back and claimed again"


def test_a_handler_runs_one_suspect_at_a_time_beside_innocent_tasks(bench: Bench):
    """The further suspect is given back with a pause, and neither an attempt nor a loss is spent."""
    bench.state.prefetch.record_duration(QUICK, 0.001)
    bench.suspect(*bench.add(QUICK, QUICK))
    bench.add(QUICK)
    for _ in range(4):
        bench.step()
    assert {hold.task for hold in bench.executor.running} == {1, 3}
    further = task(bench.storage, 2)
    assert (further.status, further.attempt, further.losses, further.suspect) == (Status.WAITING, 0, 0, True)
    assert further.run_at >= after(bench.clock.now(), 0.5)


def test_a_further_suspect_waits_longer_each_time_and_starts_when_the_first_has_ended(bench: Bench):
    first, second = bench.add(SLOW, SLOW)
    bench.suspect(first, second)
    pauses = []
    for _ in range(3):
        for _ in range(4):
            bench.step()
        waiting = task(bench.storage, second.id)
        pauses.append((waiting.run_at - bench.clock.now()).total_seconds())
        bench.clock.move(pauses[-1] + 2)
    assert {hold.task for hold in bench.executor.running} == {first.id}
    assert 0 < pauses[0] < pauses[1] < pauses[2]
    bench.executor.finish_all()
    for _ in range(6):
        bench.clock.move(2)
        for _ in range(4):
            bench.step()
    assert {hold.task for hold in bench.executor.running} == {second.id}


def released(state: SupervisorState, task: Task) -> Settlement:
    return Settlement.released(replace(task, status=Status.RUNNING), state.now)


PENDING: dict[str, Callable[[SupervisorState, Task], object]] = {
    "waits to be written": lambda state, task: state.large_outbox.fresh.append(released(state, task)),
    "is being written": lambda state, task: setattr(state.outbox, "writing", [released(state, task)]),
    "is locked": lambda state, task: state.outbox.busy.append(released(state, task)),
    "cannot be stored": lambda state, task: state.unstorable.update({task.hold: task}),
}


@pytest.mark.parametrize("pend", PENDING.values(), ids=PENDING)
def test_a_suspect_is_not_started_while_the_outcome_of_another_is_unwritten(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, pend: Callable[[SupervisorState, Task], object]
):
    """If the handler died now, both would count as started."""
    (suspect,) = bench.add(SLOW)
    bench.suspect(suspect)
    monkeypatch.setattr(bench.outcome_runner, "deliver_result", lambda: None)
    bench.outcome_runner.submit(lambda: None, lambda _: None)
    pend(bench.state, replace(suspect.suspected(), id=TaskId(99)))
    bench.step()
    bench.step()
    assert not bench.executor.running
    assert not bench.state.claimed_tasks


def test_the_start_of_a_suspect_is_recorded_before_it_is_dispatched(bench: Bench):
    bench.suspect(*bench.add(SLOW))
    assert bench.step() == ["claim sent"]
    assert "task 1 started" not in bench.step()
    assert "task 1 started" in bench.step()
    assert task(bench.storage, 1).started is not None


def test_outcomes_wait_while_the_storage_refuses_the_statement_itself(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """A permission is missing, for which no outcome is to blame."""
    bench.add(SLOW)
    bench.step()
    bench.step()

    def refuse(*_: object) -> None:
        raise StatementRefused

    with monkeypatch.context() as unpermitted:
        for way in ("settle", "settle_unlocked"):
            unpermitted.setattr(MemoryAutocommitStore, way, refuse)
        bench.executor.finish_all()
        for _ in range(4):
            bench.step()
            bench.clock.move(1)
    assert task(bench.storage, 1).status is Status.RUNNING
    for _ in range(3):
        bench.step()
    assert task(bench.storage, 1).status is Status.FAILED


def test_the_outcomes_of_a_call_without_an_answer_are_written_again(bench: Bench):
    first, second = bench.add(SLOW, SLOW)
    bench.step()
    bench.step()
    bench.executor.finish_all()
    bench.step()
    outbox = bench.state.outbox
    assert [each.hold.task for each in outbox.writing] == [first.id, second.id]
    bench.outcome_runner.close()
    for _ in range(4):
        bench.clock.move(1)
        bench.step()
    assert not outbox
    assert [task(bench.storage, each.id).status for each in (first, second)] == [Status.FAILED, Status.FAILED]


def test_a_lost_run_is_stopped_in_the_step_of_the_answer_and_once(bench: Bench):
    bench.add(SLOW)
    bench.step()
    assert "task 1 started" in bench.step()
    save(bench.storage, task(bench.storage, 1).cancel(bench.clock.now()))
    assert "task 1 ended" in bench.step()
    assert "task 1 ended" not in bench.step()
    assert not bench.state.claimed_tasks


def test_a_run_that_is_lost_and_overdue_is_not_settled(bench: Bench):
    add_one(bench.storage, SLOW, now=bench.clock.now(), timeout=1)
    bench.step()
    bench.step()
    (hold,) = bench.executor.running
    bench.executor.next_events.append(Started(hold, bench.clock.monotonic()))
    bench.step()
    save(bench.storage, task(bench.storage, 1).cancel(bench.clock.now()))
    bench.clock.move(LOST_POLL_SECONDS)
    bench.step()
    bench.clock.move(1)
    assert bench.step().count("task 1 ended") == 1
    assert "settlements sent" not in bench.step()


def test_a_claim_that_is_answered_while_stopping_is_given_back_and_starts_nothing(bench: Bench):
    bench.add(SLOW)
    assert bench.step() == ["claim sent"]
    bench.supervisor.stop()
    assert bench.step() == ["settlements sent"]
    bench.step()
    released = task(bench.storage, 1)
    assert (released.status, released.attempt, released.losses) == (Status.WAITING, 0, 0)


def test_a_claim_under_a_hold_that_is_known_stops_the_known_run_and_is_given_back(bench: Bench):
    waiting, *_ = bench.add(SLOW)
    bench.step()
    assert "task 1 started" in bench.step()
    save(bench.storage, waiting)
    bench.state.prefetch.empty_types.clear()
    assert bench.step() == ["task 1 ended", "settlements sent", "claim sent"]
    for _ in range(3):
        bench.step()
    assert [(hold.task, hold.claim) for hold in bench.executor.running] == [(1, 2)], "given back and claimed again"
    assert task(bench.storage, 1).losses == 0


def test_a_step_leaves_nothing_that_could_be_sent_at_once(bench: Bench):
    bench.state.prefetch.record_duration(QUICK, 0.001)
    bench.add(SLOW, SLOW, QUICK, QUICK)
    for _ in range(5):
        bench.step()
    bench.supervisor.stop()
    for _ in range(5):
        bench.step()
    first, *others = bench.executor.waits
    assert first == 0, "the first claim"
    assert min(others) > 0
