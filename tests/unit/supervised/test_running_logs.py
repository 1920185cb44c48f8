"""The output of runs that go on is stored while they do, together and at most once a second."""

from collections.abc import Sequence

import pytest

from adapters.clocks import ManualClock
from adapters.memory import MemoryStore
from adapters.memory.autocommit import MemoryAutocommitStore
from application.errors import StorageConflict, StorageUnavailable
from application.ports.executor import Logged, Succeeded
from application.ports.wake_up import Topic
from application.supervisor.claimed_tasks import ClaimedTask
from application.supervisor.executor_events import ExecutorEvents
from application.supervisor.operations import store_running_logs
from application.supervisor.operations.operation import Context, Identity
from application.supervisor.operations.store_running_logs import WRITE_SECONDS, StoreRunningLogs
from application.supervisor.state import SupervisorState
from domain.ids import Claim, Hold, TaskId
from domain.settlement import Outcome, RunningLog
from tests.steps import HANDLER, add, claim, submission
from tests.storage import in_memory
from tests.unit.supervised.test_step import HandRunner


class Store(MemoryAutocommitStore):
    """Notes what is written; the tasks in `locked` are skipped, and `error` is raised if there is one."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store.begin)
        self.writes: list[list[int]] = []
        self.locked: set[int] = set()
        self.error: Exception | None = None

    def report_logs(self, logs: Sequence[RunningLog]) -> Sequence[Hold]:
        self.writes.append([each.hold.task for each in logs])
        if self.error:
            raise self.error
        super().report_logs([each for each in logs if each.hold.task not in self.locked])
        return [each.hold for each in logs if each.hold.task in self.locked]


class Bench:
    """Three runs that go on, and the operation; a call of it is made when its answer is taken."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.memory = MemoryStore()
        self.storage = in_memory(self.memory)
        self.store = Store(self.memory)
        self.state = SupervisorState(self.clock)
        self.events = ExecutorEvents(self.state)
        self.told: list[Topic] = []
        self.runner = HandRunner([], "write")
        context = Context(self.state, self.memory.begin, self.store, Identity(HANDLER, 30))
        self.operation = StoreRunningLogs(context, self)
        add(self.storage, *[submission(now=self.clock.now())] * 3)
        self.holds = [self.start(ClaimedTask.of(each, 0)) for each in claim(self.storage, now=self.clock.now())]

    def start(self, claimed: ClaimedTask) -> Hold:
        tasks = self.state.claimed_tasks
        tasks.add([claimed])
        tasks.dispatch_first()
        tasks.start(claimed.hold, self.clock.monotonic())
        return claimed.hold

    def notify(self, topic: Topic) -> None:
        self.told.append(topic)

    def prints(self, log: str, nth: int = 0) -> None:
        self.events.apply(Logged(self.holds[nth], log))

    def write(self, seconds: float = 0.0) -> None:
        """Send what is due, and take the answer so many seconds later."""
        assert self.operation.due_in() <= 0
        self.operation.send(self.runner)
        self.clock.move(seconds)
        self.state.read_clock()
        self.runner.deliver_result()

    def log(self, nth: int = 0) -> list[tuple[Outcome, str]]:
        with self.memory.begin() as work:
            return [(each.outcome, each.log) for each in work.tasks.attempts(self.holds[nth].task)]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_nothing_is_ever_due_while_no_run_prints(bench: Bench) -> None:
    assert bench.operation.due_in() == float("inf")


def test_output_is_stored_at_once_and_the_next_a_second_later(bench: Bench) -> None:
    bench.prints("one\n")
    bench.write(seconds=0.01)
    assert bench.log() == [(Outcome.RUNNING, "one\n")]
    assert bench.told == [Topic.CHANGED]
    assert bench.operation.due_in() == float("inf")
    bench.prints("one\ntwo\n")
    assert bench.operation.due_in() == pytest.approx(WRITE_SECONDS - 0.01)
    bench.clock.move(WRITE_SECONDS)
    bench.write()
    assert bench.log() == [(Outcome.RUNNING, "one\ntwo\n")]


def test_the_output_of_all_runs_is_one_write_with_the_newest_of_each(bench: Bench) -> None:
    for log in ("old", "new"):
        for nth in range(3):
            bench.prints(log, nth)
    bench.write()
    assert bench.store.writes == [[1, 2, 3]]
    assert [bench.log(nth) for nth in range(3)] == [[(Outcome.RUNNING, "new")]] * 3


def test_a_write_is_bounded_and_the_others_come_with_the_next(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_running_logs, "MAX_CHARACTERS", 10)
    for nth, log in enumerate(("x" * 11, "x" * 5, "x" * 6)):
        bench.prints(log, nth)
    for _ in range(3):
        bench.write()
        bench.clock.move(WRITE_SECONDS)
        bench.prints("x" * 11)  # one that prints on and on does not keep the others waiting
    assert bench.store.writes == [[1], [2], [3]]


def test_a_slow_write_is_followed_by_a_pause_as_long(bench: Bench) -> None:
    bench.prints("one")
    bench.write(seconds=7)
    bench.prints("two")
    assert bench.operation.due_in() == 7


def test_the_log_of_a_locked_task_comes_with_the_next_write(bench: Bench) -> None:
    bench.store.locked = {1}
    bench.prints("a")
    bench.prints("b", 1)
    bench.write()
    assert (bench.log(0), bench.log(1)) == ([], [(Outcome.RUNNING, "b")])
    bench.store.locked.clear()
    bench.clock.move(WRITE_SECONDS)
    bench.write()
    assert bench.store.writes == [[1, 2], [1]]
    assert bench.log() == [(Outcome.RUNNING, "a")]


def test_newer_output_of_a_locked_task_counts_more_than_what_could_not_be_stored(bench: Bench) -> None:
    bench.store.locked = {1}
    bench.prints("old")
    bench.operation.send(bench.runner)
    bench.prints("new")
    bench.runner.deliver_result()
    assert bench.state.running_logs == {bench.holds[0]: "new"}


def test_all_logs_are_kept_for_the_next_write_after_a_conflict(bench: Bench) -> None:
    bench.store.error = StorageConflict()
    bench.prints("a")
    bench.prints("b", 1)
    bench.write()
    assert set(bench.state.running_logs) == {*bench.holds[:2]}
    assert bench.told == []


def test_a_write_is_repeated_by_its_runner_while_the_storage_is_away(bench: Bench) -> None:
    bench.store.error = StorageUnavailable()
    bench.prints("a")
    with pytest.raises(StorageUnavailable):
        bench.write()


def test_logs_that_cannot_be_stored_are_dropped(bench: Bench) -> None:
    bench.store.error = ValueError("cannot be stored")
    bench.prints("a")
    bench.write()
    assert bench.state.running_logs == {}


def test_output_of_ended_lost_and_unknown_runs_is_not_written(bench: Bench) -> None:
    for nth in range(3):
        bench.prints("x", nth)
    bench.events.apply(Succeeded(bench.holds[0], "1", "x"))
    bench.state.drop_lost([bench.holds[1]])
    bench.events.apply(Logged(Hold(TaskId(99), Claim(1), HANDLER), "x"))
    bench.write()
    assert bench.store.writes == [[3]]
    assert bench.state.running_logs == {}


def test_nothing_is_sent_where_all_that_have_printed_have_ended(bench: Bench) -> None:
    bench.prints("x")
    bench.events.apply(Succeeded(bench.holds[0], "1", "x"))
    bench.operation.send(bench.runner)
    assert bench.runner.is_idle
    assert bench.operation.due_in() == float("inf")


def test_unwritten_output_does_not_keep_a_handler_from_ending(bench: Bench) -> None:
    bench.prints("x")
    for hold in bench.holds:
        bench.state.claimed_tasks.remove(hold)
    assert bench.state.is_empty
