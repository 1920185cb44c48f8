"""A slow line to the database: large tasks and outcomes do not hold back small ones."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

import pytest

from adapters.background import ThreadRunner
from adapters.clocks import SystemClock
from adapters.json_schema import SchemaChecker
from adapters.memory import MemoryWakeUp
from adapters.postgres import Database, PostgresAutocommitStore
from adapters.postgres.session_settings import SESSION_SETTINGS
from application.known_types import KnownTypes
from application.submissions import SubmissionBuilder, TaskRequest
from application.supervisor.claimed_tasks import ClaimedTask
from application.supervisor.lane import Lane
from application.supervisor.operations.operation import Context, Identity
from application.supervisor.operations.settle import Settle
from application.supervisor.state import SupervisorState
from application.use_cases.submit_task import SubmitTask
from application.use_cases.unblock_tasks import UnblockTasks
from application.use_cases.view_task import ViewTask
from application.view import Viewer
from domain.ids import DEFAULT_TYPE
from domain.settlement import Settlement
from domain.status import Status
from tests.chaos.proxies import Proxies
from tests.concurrency import behind, until
from tests.steps import HANDLER, NOW, add, claim, settle, submission, task
from tests.storage import in_postgres

LINE_BYTES_PER_SECOND = 1_000_000
LARGE_RESULT = f'"{"x" * 4_000_000}"'


@pytest.fixture
def slow(
    database: Database, postgres_url: str, proxies: Proxies, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Database]:
    """The emptied database over a slow line."""
    monkeypatch.setitem(SESSION_SETTINGS, "idle_in_transaction_session_timeout", "1s")
    slow = Database(behind(proxies.new(LINE_BYTES_PER_SECOND), postgres_url))
    yield slow
    slow.close()
    database.close()  # Its sessions would keep the short limit for other tests.


def test_a_large_task_that_is_viewed_over_a_slow_line_holds_back_no_other_view(
    database: Database, slow: Database, background: ThreadPoolExecutor
):
    near = in_postgres(database)
    add(near, *[submission()] * 2)
    large, small = [claimed.task for claimed in claim(near)]
    settle(near, Settlement.succeeded(large, NOW, LARGE_RESULT), Settlement.succeeded(small, NOW, "1"))
    clock = SystemClock()
    far = PostgresAutocommitStore(slow)
    view = ViewTask(far, Viewer(KnownTypes(in_postgres(database).begin, clock), clock))
    view(small.id)
    reading = [background.submit(view, large.id) for _ in range(2)]
    sleep(0.5)
    for _ in range(3):
        began = monotonic()
        assert view(small.id).stored.result == "1"
        assert monotonic() - began < 1.5
    assert not any(each.done() for each in reading)
    assert {each.result().stored.result for each in reading} == {LARGE_RESULT}


def test_a_large_task_that_is_submitted_over_a_slow_line_holds_back_no_other(
    database: Database, slow: Database, background: ThreadPoolExecutor
):
    clock, far, near = SystemClock(), in_postgres(slow), in_postgres(database)
    types = KnownTypes(near.begin, clock)
    builder = SubmissionBuilder(near.begin, clock, types, SchemaChecker(), 600, callbacks_enabled=False)
    unblock = UnblockTasks(far.begin, far.pending, clock, MemoryWakeUp())
    submit = SubmitTask(far.begin, far.autocommit, builder, MemoryWakeUp(), Viewer(types, clock), unblock)
    submit(TaskRequest(type=DEFAULT_TYPE, args={}))
    sending = background.submit(submit, TaskRequest(type=DEFAULT_TYPE, args={"a": "x" * 4_000_000}))
    sleep(0.5)
    for _ in range(3):
        began = monotonic()
        submit(TaskRequest(type=DEFAULT_TYPE, args={}))
        assert monotonic() - began < 1.5
    assert not sending.done()
    assert sending.result().is_new


@pytest.mark.parametrize("log", ["", "printed"])
def test_a_large_result_on_a_slow_line_holds_back_no_small_one(database: Database, slow: Database, log: str):
    near, far = in_postgres(database), in_postgres(slow)
    add(near, *[submission()] * 6)
    large, *small = [ClaimedTask(each.task.hold, each.task, "{}", 0.0) for each in claim(near)]
    state = SupervisorState(SystemClock())
    context = Context(state, far.begin, far.autocommit, Identity(HANDLER, 30))
    runners = [ThreadRunner(lambda: None), ThreadRunner(lambda: None)]
    lanes = [
        Lane(state, runner, [Settle(context, MemoryWakeUp(), outbox)])
        for runner, outbox in zip(runners, (state.outbox, state.large_outbox), strict=True)
    ]
    far.autocommit.versions([])

    def statuses_after_step() -> list[Status]:
        for lane in lanes:
            lane.receive()
            lane.send()
        return [task(near, each.task.id).status for each in (large, *small)]

    state.settle(large, lambda running, now: Settlement.succeeded(running, now, LARGE_RESULT, log))
    statuses_after_step()
    began = monotonic()
    for each in small:
        state.settle(each, lambda running, now: Settlement.succeeded(running, now, "1", log))
    until(lambda: statuses_after_step() == [Status.RUNNING] + [Status.DONE] * 5, 3)
    assert monotonic() - began < 3
    assert large.hold in state.holds_to_renew()
    until(lambda: statuses_after_step() == [Status.DONE] * 6)
    for runner in runners:
        runner.close()
