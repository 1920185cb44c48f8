"""Tasks that refer to results, under a supervisor: their arguments are filled in before they start."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from math import inf
from typing import Any

import pytest

from adapters.memory import MemoryAutocommitStore
from application.errors import StorageUnavailable
from application.json.placeholders import placeholders
from application.ports.autocommit import StoredResult
from application.submissions import TaskRequest
from application.supervisor.argument_filler import ArgumentFiller
from application.supervisor.claimed_tasks import ClaimedTask, ClaimedTasks
from application.supervisor.operations.fill_references import FillReferences
from application.supervisor.operations.operation import Context, Identity
from domain.ids import Claim, HandlerId, Hold, TaskId, TypeName
from domain.status import Status
from domain.task import Task
from tests.steps import stored
from tests.unit.supervised.gates import doors
from tests.unit.supervised.test_step import Bench
from tests.unit.supervised.test_supervisor import PATIENCE, Rig, error_of, eventually

QUICK = TypeName("quick")
READ: list[int] = []


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    READ.clear()
    monkeypatch.setattr(MemoryAutocommitStore, "results", noting(MemoryAutocommitStore.results))
    rig = Rig()
    rig.thread.start()
    eventually(rig.handlers)
    yield rig
    rig.is_away = False
    rig.supervisor.stop()
    rig.supervisor.stop()
    rig.thread.join(PATIENCE)
    rig.close()


def noting(results: Any) -> Any:
    """Note the tasks whose results are read."""

    def noted(
        store: MemoryAutocommitStore, known: Mapping[TaskId, datetime | None], max_bytes: int
    ) -> Mapping[TaskId, StoredResult]:
        read: Mapping[TaskId, StoredResult] = results(store, known, max_bytes)
        READ.extend(id for id, each in read.items() if each.text is not None)
        return read

    return noted


def submit(rig: Rig, args: dict[str, Any], **options: int) -> int:
    request = TaskRequest(type=QUICK, args=args, placeholders=placeholders(args), options=options)
    return rig.api.submit_task()(request).view.task.id


def result(rig: Rig, id: int) -> str | None:
    rig.await_status(id, Status.DONE)
    return stored(rig.storage, TaskId(id)).result


def test_a_chain_hands_its_results_on(rig: Rig):
    last = rig.submit("quick", '{"n": 7}')
    for _ in range(10):
        last = submit(rig, {"n": {"$result": last}})
    assert result(rig, last) == "7"
    assert stored(rig.storage, TaskId(last)).args == f'{{"n":{{"$result":{last - 1}}}}}'


def test_a_result_is_read_once_for_all_tasks_of_a_handler(rig: Rig):
    parent = rig.submit("quick", '{"n": 7}')
    children = [submit(rig, {"n": {"$result": parent}}) for _ in range(50)]
    assert {result(rig, child) for child in children} == {"7"}
    assert [parent] == READ


def test_a_task_fails_for_good_whose_result_has_no_such_place(rig: Rig):
    child = submit(rig, {"n": {"$result": rig.submit("quick"), "path": "$.n"}}, max_attempts=3)
    failed = rig.await_status(child, Status.FAILED)
    assert error_of(failed).type == "MissingResult"
    assert error_of(failed).message.startswith("the argument $.n refers to $.n of task 1")


def test_a_result_that_does_not_fit_the_function_fails_the_task(rig: Rig):
    parent = rig.submit("gated", '{"gate": "a"}')
    doors["a"].set()
    child = submit(rig, {"n": {"$result": parent}})
    assert error_of(rig.await_status(child, Status.FAILED)).type == "InvalidArguments"


def test_a_storage_that_is_away_while_results_are_read_fails_no_task(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    read, tries = MemoryAutocommitStore.results, iter([StorageUnavailable, StorageUnavailable, RuntimeError])

    def results(*how: Any) -> Any:
        if error := next(tries, None):
            raise error
        return read(*how)

    monkeypatch.setattr("adapters.background.thread_runner.MAX_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(MemoryAutocommitStore, "results", results)
    child = submit(rig, {"n": {"$result": rig.submit("quick", '{"n": 7}')}})
    assert result(rig, child) == "7"
    assert rig.task(child).attempt == 1


class TestClaimedTasks:
    @pytest.fixture
    def tasks(self) -> ClaimedTasks:
        """Tasks 1 and 3 refer to results, 2 and 4 do not."""
        tasks = ClaimedTasks()
        tasks.add([claimed(id, float(id)) for id in range(1, 5)])
        return tasks

    def test_tasks_with_references_wait_for_their_results_beside_the_others(self, tasks: ClaimedTasks):
        assert ids(tasks.queued) == [2, 4]
        assert (tasks.undispatched, len(tasks), tasks.queued_by_type[QUICK]) == (4, 4, 4)
        assert {hold.task for hold in tasks.holds()} == {hold.task for hold in tasks.all_holds()} == {1, 2, 3, 4}
        assert tasks.idle_slots(5, 5) == 3

    def test_filled_ones_are_queued_first_and_the_others_are_filled_later(self, tasks: ClaimedTasks):
        tasks.add([claimed(5), claimed(7)])
        batch = tasks.begin_filling()
        assert ids(batch) == [1, 3, 5, 7]
        tasks.drop({batch[2].hold})
        failed = tasks.end_filling({batch[0].hold: "filled", batch[2].hold: "lost"}, {batch[1].hold}, at=9.0)
        assert ids(failed) == [3]
        assert (ids(tasks.queued), ids(tasks.unfilled)) == ([1, 2, 4], [7])
        assert (batch[0].args, batch[0].claimed_at) == ("filled", 9.0)
        assert tasks.queued_by_type[QUICK] == 4

    def test_unfilled_ones_that_are_too_old_are_given_back_and_those_being_filled_are_not(self, tasks: ClaimedTasks):
        tasks.begin_filling()
        tasks.add([claimed(5, 5.0)])
        assert ids(tasks.oldest()) == [2, 5]
        assert ids(tasks.pop_queued(claimed_before=6.0)) == [2, 4, 5]
        assert {hold.task for hold in tasks.holds()} == {1, 3}

    def test_a_call_without_an_answer_is_repeated(self, tasks: ClaimedTasks):
        tasks.begin_filling()
        tasks.add([claimed(5)])
        assert ids(tasks.begin_filling()) == [1, 3, 5]


class TestDue:
    @pytest.fixture
    def bench(self) -> Bench:
        return Bench()

    @pytest.fixture
    def filling(self, bench: Bench) -> FillReferences:
        context = Context(bench.state, bench.storage.begin, bench.storage.autocommit, Identity(HandlerId("me"), 30))
        return FillReferences(context, bench.executor, ArgumentFiller(bench.storage.autocommit))

    def test_many_others_in_the_queue_hold_up_no_task_with_references(self, bench: Bench, filling: FillReferences):
        bench.state.claimed_tasks.add([claimed(2 * n) for n in range(1, 100)])
        assert filling.due_in() == inf
        bench.state.claimed_tasks.add([claimed(1)])
        assert filling.due_in() == 0

    def test_no_others_are_filled_while_a_filled_one_waits_for_each_slot(self, bench: Bench, filling: FillReferences):
        tasks = bench.state.claimed_tasks
        tasks.add([claimed(id) for id in (1, 3, 5)])
        holds = [each.hold for each in tasks.begin_filling()]
        assert filling.due_in() == 0, "the call has had no answer"
        tasks.end_filling(dict.fromkeys(holds[:2], "filled"), set(), at=0.0)
        assert filling.due_in() == inf
        tasks.dispatch_first()
        assert filling.due_in() == 0


def claimed(id: int, at: float = 0.0) -> ClaimedTask:
    """Make a claimed task; those with odd ids have references."""
    fields = {"type": QUICK, "id": id, "has_references": id % 2 == 1, "suspect": False}
    hold = Hold(TaskId(id), Claim(1), HandlerId("me"))
    return ClaimedTask(hold, Task.restored(fields), "{}", at)


def ids(tasks: Iterable[ClaimedTask]) -> list[int]:
    return [each.task.id for each in tasks]
