"""A supervisor over memory, composed by its container, with functions that run in threads behind doors."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import pytest

from adapters.executors.thread import ThreadExecutor
from adapters.memory import MemoryStore
from adapters.memory.queue import MemoryQueue
from application.errors import StorageUnavailable
from application.ports.executor import Run
from application.ports.queue import ProgressReport
from application.ports.wake_up import HANDLER_TOPICS, Topic
from application.supervisor import claim_cursors, shutdown, supervisor
from application.supervisor.executor_events import NothingToRun
from domain.failure import Error, Failure
from domain.ids import HandlerId, Hold, TaskId
from domain.lease import Lease
from domain.limits import NO_LIMITS, Limits
from domain.progress import Progress
from domain.status import Status
from domain.task import Task
from entrypoints.containers.api import ApiContainer
from entrypoints.containers.handler import HandlerContainer
from entrypoints.containers.memory_storage import MemoryStorage
from entrypoints.settings import Settings
from tests.steps import add, at, claim, save, stored, submission, task
from tests.storage import in_memory
from tests.unit.supervised.gates import close_all, doors, entered

T = TypeVar("T")
FUNCTIONS = Path(__file__).with_name("functions.py")
PATIENCE = 10
LIMITED = """
from flask_tasks import task

@task(at_once=1)
def one(): ...

@task(per_second=10, burst=20)
def two(): ...

@task
def free(): ...
"""


def eventually(look: Callable[[], T | None]) -> T:
    end = time.monotonic() + PATIENCE
    while not (answer := look()):
        assert time.monotonic() < end
        time.sleep(0.005)
    return answer


def error_of(task: Task) -> Error:
    assert task.error is not None
    return task.error


class Rig:
    """A supervisor with its thread, over a store that can be made unavailable; `storage` is always available."""

    def __init__(
        self,
        *,
        grace: float = 5,
        concurrency: int = 2,
        tasks: str = str(FUNCTIONS),
        lease: float = 30,
        linger: float | None = None,
    ) -> None:
        settings = Settings(grace=grace, lease=lease, linger=linger)
        self.store = MemoryStore()
        self.storage = in_memory(self.store)
        self.is_away = self.loses_the_next_claim = False
        self.executor = ThreadExecutor([tasks], concurrency)
        storage = MemoryStorage(store=self.store, begin=self.begin)
        self.container = HandlerContainer(
            settings=settings,
            storage=storage,
            executor=self.executor,
            handler_id=HandlerId("me"),
            on_published=lambda types: None,
        )
        self.api = ApiContainer(settings=settings, storage=MemoryStorage(store=self.store, notifier=storage.notifier))
        self.clock, self.wake_up = storage.clock(), storage.wake_up()
        self.state = self.container.supervisor_state()
        self.claim_runner = self.container.claim_runner()
        self.supervisor = self.container.supervisor()
        self.wake_up.listen(self.supervisor.wake, HANDLER_TOPICS)
        self.thread = Thread(target=self.supervisor.run)

    @contextmanager
    def begin(self):
        if self.is_away:
            raise StorageUnavailable
        with self.store.begin() as work:
            claimed = work.queue.held_by(HandlerId("me"))
            yield work
        if self.loses_the_next_claim and self.held() - {*claimed}:
            self.loses_the_next_claim = False
            raise StorageUnavailable

    def held(self) -> set[Hold]:
        """Holds under its leases, as the store has them."""
        with self.store.begin() as work:
            return {*work.queue.held_by(HandlerId("me"))}

    def submit(self, type: str, args: str = "{}", **options: Any) -> int:
        (task,) = add(self.storage, submission(type, args, now=self.clock.now(), **options))
        self.wake_up.notify(Topic.WAITING)
        return task.id

    def cancel(self, id: int) -> None:
        """Cancel a task over the store, even while the supervisor cannot reach it."""
        self.api.cancel_task()(TaskId(id))

    def task(self, id: int) -> Task:
        return task(self.storage, id)

    def await_status(self, id: int, status: Status) -> Task:
        return eventually(lambda: each if (each := self.task(id)).status is status else None)

    def handlers(self) -> set[str]:
        return set(self.store.state.handlers)

    def close(self) -> None:
        self.container.shutdown_resources()

    def drain(self) -> None:
        self.supervisor.stop()
        self.await_end()

    def await_end(self) -> None:
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    close_all()
    rig = Rig(**getattr(request, "param", {}))
    rig.thread.start()
    yield rig
    for door in list(doors.values()):
        door.set()
    rig.is_away = False
    rig.supervisor.stop()
    rig.supervisor.stop()
    rig.thread.join(PATIENCE)
    rig.close()


def test_a_task_runs_and_its_result_is_stored(rig: Rig):
    done = rig.await_status(rig.submit("quick", '{"n":7}'), Status.DONE)
    assert stored(rig.storage, done.id).result == "7"
    assert done.started is not None
    assert done.finished is not None
    assert done.created <= done.started <= done.finished


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, no task is given back before it starts: that would be one more claim of it."""
    monkeypatch.setattr(supervisor, "MAX_QUEUED_SECONDS", 60)


@pytest.mark.usefixtures("patient")
def test_a_claim_and_the_lag_of_an_outcome_are_tallied(rig: Rig):
    rig.await_status(rig.submit("quick"), Status.DONE)
    tally = rig.state.tally
    eventually(lambda: (tally.claims.sum, sum(tally.lags.numbers)) == (1, 1))


@pytest.mark.usefixtures("patient")
def test_each_task_of_a_burst_runs_once(rig: Rig):
    ids = [rig.submit("quick") for _ in range(300)]
    assert {rig.await_status(id, Status.DONE).claims for id in ids} == {1}


def test_a_task_that_comes_to_wait_before_the_cursor_is_found_soon(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(claim_cursors, "FULL_CLAIM_PAUSE_FACTOR", 2000)
    rig.await_status(rig.submit("quick"), Status.DONE)
    rig.await_status(rig.submit("quick", run_at=at(-60)), Status.DONE)


def test_the_types_are_published_and_withdrawn(rig: Rig):
    eventually(lambda: rig.handlers() == {"me"})
    rig.drain()
    assert rig.handlers() == set()
    assert set(rig.store.state.types) == {"quick", "gated", "telling", "asking", "broken", "failing", "halving"}


def test_the_declared_limits_are_published(tmp_path: Path):
    (tmp_path / "tasks.py").write_text(LIMITED)
    limited = Rig(tasks=str(tmp_path / "tasks.py"))
    limited.thread.start()
    eventually(lambda: limited.handlers() == {"me"})
    limited.drain()
    limited.close()
    with limited.store.begin() as work:
        found = {each.type.name: each.limits.limits for each in work.types.all(limited.clock.now())}
    assert found == {"one": Limits(at_once=1), "two": Limits(per_second=10, burst=20), "free": NO_LIMITS}
    assert limited.storage.autocommit.limited_types() == {"one", "two"}


def test_a_handler_that_was_forgotten_publishes_again():
    with_short_lease = Rig(lease=1)
    with_short_lease.thread.start()
    eventually(lambda: with_short_lease.handlers() == {"me"})
    with with_short_lease.begin() as work:
        work.types.withdraw(HandlerId("me"))
        work.commit()
    eventually(lambda: with_short_lease.handlers() == {"me"})
    with_short_lease.drain()
    with_short_lease.close()


def test_progress_and_start_are_reported_while_a_task_runs(rig: Rig):
    id = rig.submit("telling", '{"gate":"a"}')
    told = eventually(lambda: each if (each := rig.task(id)).progress else None)
    assert told.progress == Progress(0.5, "half")
    assert told.started is not None


def test_a_cancelled_task_is_not_settled_when_its_function_returns(rig: Rig):
    id = rig.submit("gated", '{"gate":"a"}')
    assert entered["a"].wait(PATIENCE)
    rig.cancel(id)
    eventually(lambda: rig.executor.free == 2)
    doors["a"].set()
    rig.await_status(rig.submit("quick"), Status.DONE)
    assert rig.task(id).status is Status.CANCELLED


@pytest.mark.parametrize("rig", [{"concurrency": 1}], indirect=True)
def test_a_task_that_does_not_start_within_a_second_is_given_back(rig: Rig):
    for _ in range(20):
        rig.await_status(rig.submit("quick"), Status.DONE)
    with rig.begin() as work:
        behind = [
            each.id
            for each in work.tasks.add(
                [submission("gated", '{"gate":"a"}', now=rig.clock.now())]
                + [submission("quick", now=rig.clock.now())] * 10
            )
        ]
        work.commit()
    rig.wake_up.notify(Topic.WAITING)
    assert entered["a"].wait(PATIENCE)
    eventually(lambda: all(rig.task(id).status is Status.WAITING for id in behind[1:]))
    assert {rig.task(id).attempt for id in behind[1:]} == {0}
    assert {rig.task(id).losses for id in behind[1:]} == {0}


def test_a_task_that_takes_too_long_fails(rig: Rig):
    error = error_of(rig.await_status(rig.submit("gated", '{"gate":"a"}', timeout=0.1), Status.FAILED))
    assert (error.type, error.message) == ("TimeoutError", "it took longer than 0.1 s")


def test_the_wait_that_a_function_asks_for_is_its_run_at(rig: Rig):
    before = rig.clock.now()
    id = rig.submit("asking", max_attempts=2)
    eventually(lambda: rig.task(id).error)
    waiting = rig.task(id)
    assert waiting.status is Status.WAITING
    assert (waiting.run_at - before).total_seconds() >= 60


def test_a_failure_that_is_not_retried_fails_at_once(rig: Rig):
    assert rig.await_status(rig.submit("broken", max_attempts=3), Status.FAILED).attempt == 1


def test_stopping_lets_running_tasks_finish(rig: Rig):
    id = rig.submit("gated", '{"gate":"a"}')
    assert entered["a"].wait(PATIENCE)
    rig.supervisor.stop()
    doors["a"].set()
    rig.await_end()
    assert rig.task(id).status is Status.DONE


@pytest.mark.parametrize("rig", [{"grace": 0.1}], indirect=True)
def test_a_run_that_exceeds_the_grace_is_lost_and_no_attempt_is_spent(rig: Rig):
    id = rig.submit("gated", '{"gate":"a"}')
    assert entered["a"].wait(PATIENCE)
    rig.drain()
    assert (rig.task(id).status, rig.task(id).attempt, rig.task(id).losses) == (Status.WAITING, 0, 1)


@pytest.mark.parametrize("rig", [{"grace": 0.1}], indirect=True)
def test_a_failure_that_comes_before_the_stop_counts_as_a_failure(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    end = rig.executor.end

    def let_it_fail_and_end(hold: Hold, failure: Failure) -> None:
        doors["a"].set()
        eventually(lambda: rig.executor._reports.qsize())
        end(hold, failure)

    monkeypatch.setattr(rig.executor, "end", let_it_fail_and_end)
    id = rig.submit("failing", '{"gate":"a"}', max_losses=0)
    assert entered["a"].wait(PATIENCE)
    rig.drain()
    failed = rig.task(id)
    assert (failed.status, error_of(failed).type, failed.losses) == (Status.FAILED, "ValueError", 0)


@pytest.mark.parametrize("rig", [{"grace": 60}], indirect=True)
def test_a_second_stop_ends_the_grace(rig: Rig):
    id = rig.submit("gated", '{"gate":"a"}')
    assert entered["a"].wait(PATIENCE)
    rig.supervisor.stop()
    rig.drain()
    assert rig.task(id).status is Status.WAITING


def test_nothing_is_claimed_while_stopping(rig: Rig):
    running = rig.submit("gated", '{"gate":"a"}')
    assert entered["a"].wait(PATIENCE)
    rig.supervisor.stop()
    # A claim that is under way may still return tasks.
    eventually(lambda: rig.state.draining and rig.claim_runner.is_idle)
    late = rig.submit("quick")
    doors["a"].set()
    rig.await_end()
    assert (rig.task(running).status, rig.task(late).claims) == (Status.DONE, 0)


def test_an_outage_keeps_outcomes_and_takes_nothing_away(rig: Rig):
    id = rig.submit("gated", '{"gate":"a"}')
    assert entered["a"].wait(PATIENCE)
    rig.is_away = True
    doors["a"].set()
    eventually(lambda: rig.executor.free == 2)
    assert rig.task(id).status is Status.RUNNING
    rig.is_away = False
    assert rig.await_status(id, Status.DONE).claims == 1


@pytest.mark.parametrize("rig", [{"grace": 0.1}], indirect=True)
def test_stopping_during_an_outage_comes_to_an_end(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutdown, "FINAL_WRITE_SECONDS", 0.1)
    rig.submit("gated", '{"gate":"a"}')
    assert entered["a"].wait(PATIENCE)
    rig.is_away = True
    rig.drain()


@pytest.mark.parametrize("rig", [{"concurrency": 1}], indirect=True)
def test_a_task_that_another_handler_has_taken_is_stopped_and_not_settled(rig: Rig):
    id = rig.submit("gated", '{"gate":"a"}')
    assert entered["a"].wait(PATIENCE)
    save(rig.storage, rig.task(id).lose(rig.clock.now()))
    (theirs,) = claim(rig.storage, 1, now=rig.clock.now(), wanted={"gated": 1}, handler="other")
    eventually(lambda: rig.executor.free == 1)
    doors["a"].set()
    rig.await_status(rig.submit("quick"), Status.DONE)
    assert rig.task(id) == theirs.task


def test_a_task_that_was_taken_before_its_start_was_recorded_does_not_start(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    for _ in range(5):
        rig.await_status(rig.submit("quick"), Status.DONE)
    report = MemoryQueue.report

    def take_and_report(queue: MemoryQueue, reports: Sequence[ProgressReport]) -> None:
        """Let another handler take the tasks first, as if this one had stood still."""
        for each in queue.running_under(HandlerId("me"), 100):
            if each.must_start_on_record:
                theirs = Lease.granted(HandlerId("other"), rig.clock.now(), 60)
                queue._state.put_task(each.lose(rig.clock.now()).claim(theirs, None))
                taken.append(each.id)
        report(queue, reports)

    def record_and_start(run: Run) -> None:
        started.append(run.hold.task)
        start(run)

    taken: list[int] = []
    started: list[int] = []
    start = rig.executor.start
    monkeypatch.setattr(MemoryQueue, "report", take_and_report)
    monkeypatch.setattr(rig.executor, "start", record_and_start)
    add(rig.storage, *[submission("quick", now=rig.clock.now(), max_losses=0)] * 10)
    rig.wake_up.notify(Topic.WAITING)
    eventually(lambda: taken and not rig.state.claimed_tasks)
    assert not {*taken} & {*started}


@pytest.mark.parametrize("rig", [{"lease": 3}], indirect=True)
def test_a_task_whose_claim_was_not_answered_is_given_back_as_if_it_was_never_claimed(rig: Rig):
    eventually(rig.handlers)
    rig.loses_the_next_claim = True
    id = rig.submit("quick", max_losses=0)
    done = rig.await_status(id, Status.DONE)
    assert (done.claims, done.attempt, done.losses) == (2, 1, 0)


@pytest.mark.usefixtures("patient")
def test_the_start_of_a_task_that_may_not_start_twice_is_recorded_before_it(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    for _ in range(5):
        rig.await_status(rig.submit("quick"), Status.DONE)
    recorded: list[bool] = []
    start = rig.executor.start

    def look_and_start(run: Run) -> None:
        recorded.append(rig.task(run.hold.task).started is not None)
        start(run)

    monkeypatch.setattr(rig.executor, "start", look_and_start)
    tasks = add(rig.storage, *[submission("quick", now=rig.clock.now(), max_losses=0)] * 50)
    rig.wake_up.notify(Topic.WAITING)
    assert [rig.await_status(each.id, Status.DONE).claims for each in tasks] == [1] * 50
    assert recorded == [True] * 50


def test_a_module_that_cannot_be_imported_stops_the_supervisor(tmp_path: Path):
    broken = tmp_path / "tasks_that_break.py"
    broken.write_text("import nothing_of_that_name\n")
    rig = Rig(tasks=str(broken))
    with pytest.raises(NothingToRun, match="nothing_of_that_name"):
        rig.supervisor.run()
    rig.close()


def test_short_tasks_run_at_once_while_long_ones_have_all_slots_but_one(rig: Rig):
    """With any number of both, and though each claim finds no task of some type."""
    for _ in range(5):
        rig.await_status(rig.submit("quick"), Status.DONE)
    gated = [submission("gated", '{"gate":"a"}', now=rig.clock.now())] * 3
    tasks = add(rig.storage, *gated, *[submission("quick", now=rig.clock.now())] * 700)
    rig.wake_up.notify(Topic.WAITING)
    assert entered["a"].wait(PATIENCE)
    for each in tasks[3:]:
        rig.await_status(each.id, Status.DONE)
    with rig.begin() as work:
        assert len(work.queue.held_by(HandlerId("me"))) >= 1


def test_a_supervisor_that_has_stopped_makes_no_call_any_more(rig: Rig) -> None:
    runners = (rig.container.outcome_runner(), rig.container.claim_runner(), rig.container.lease_runner())
    assert all(runner._thread.is_alive() for runner in runners)
    rig.drain()
    assert not any(runner._thread.is_alive() for runner in runners)
