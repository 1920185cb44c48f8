"""Operations that commit themselves: units of work see what they wrote, and they see what units of work committed."""

from typing import Any

import pytest

from application.ports.autocommit import AutocommitStore
from application.ports.queue import ProgressReport
from application.ports.task_repository import UNKNOWN_VERSION, TaskRecord, Version
from domain.failure import Error
from domain.ids import TaskId
from domain.progress import Progress
from domain.settlement import Settlement
from tests.contract.conftest import Add
from tests.steps import (
    BOOM,
    HANDLER,
    PLAIN,
    add,
    add_one,
    at,
    claim,
    claim_one,
    fail,
    save,
    stored,
    submission,
    succeed,
    take_back,
    task,
)
from tests.storage import Storage


def test_an_added_task_is_there_for_units_of_work(storage: Storage):
    added = add(storage, submission(args='{"a":"\\\\ \\""}', priority=7, timeout=2.5), submission())
    with storage.begin() as work:
        found = [work.tasks.get(each.id) for each in added]
    assert [each and each.task for each in found] == list(added)
    assert [each and each.args for each in found] == ['{"a":"\\\\ \\""}', "{}"]


def test_a_claim_is_there_for_units_of_work(storage: Storage):
    add_one(storage)
    claimed = claim_one(storage)
    with storage.begin() as work:
        assert work.tasks.lock(TaskId(1)) == [claimed]


def test_a_record_is_the_one_that_a_unit_of_work_reads(storage: Storage):
    add_one(storage), add_one(storage, args='{"n":1}', callback="https://example.org/told")
    for _ in range(2):
        succeed(storage, claim_one(storage), result='{"b":"é\\u0000"}')
    found = storage.autocommit.get_many([TaskId(1), TaskId(2)])
    with storage.begin() as work:
        assert found == {id: work.tasks.get(TaskId(id)) for id in (1, 2)}
        assert {id: each.version for id, each in found.items()} == {
            each.task.id: each.version for id in (1, 2) if (each := work.tasks.get(TaskId(id)))
        }
    assert found[TaskId(2)].delivery is not None


def test_records_of_unknown_ids_are_omitted(storage: Storage, autocommit: AutocommitStore):
    there = add_one(storage)
    assert set(autocommit.get_many([there.id, TaskId(there.id + 1)])) == {there.id}
    assert autocommit.get_many([TaskId(there.id + 1)]) == autocommit.get_many([]) == {}


def test_a_record_of_more_bytes_than_asked_for_is_a_summary(storage: Storage, autocommit: AutocommitStore):
    args = '{"a":"é"}'
    add_one(storage, args=args)
    succeed(storage, claim_one(storage), result='"é"')
    size = len(args.encode()) + 4
    whole = autocommit.get_many([TaskId(1)], size)[TaskId(1)]
    assert (whole.args, whole.result, whole.is_summary) == (args, '"é"', False)
    summary = autocommit.get_many([TaskId(1)], size - 1)[TaskId(1)]
    assert summary == TaskRecord(whole.task, "{}", is_summary=True)
    assert summary.version == whole.version
    with storage.begin() as work:
        assert [work.tasks.get(TaskId(1), most) for most in (size, size - 1)] == [whole, summary]


def test_changed_tasks_are_summaries_of_those_whose_version_is_another(storage: Storage, autocommit: AutocommitStore):
    one, other = add(storage, submission(args='{"a":1}'), submission())
    known = autocommit.versions([one.id, other.id])
    assert autocommit.changed(known) == autocommit.changed({}) == {}
    succeed(storage, claim_one(storage), result="7")
    changed = autocommit.changed(known)
    assert changed == {one.id: TaskRecord(task(storage, one.id), "{}", is_summary=True)}
    assert changed[one.id] == autocommit.get_many([one.id], 0)[one.id]
    assert autocommit.changed(dict.fromkeys(known, UNKNOWN_VERSION)).keys() == {one.id, other.id}
    assert {id: each.version for id, each in changed.items() if each} == autocommit.versions([one.id])


def test_a_changed_task_that_is_gone_is_none(storage: Storage, autocommit: AutocommitStore):
    there = add_one(storage)
    known = autocommit.versions([there.id])
    with storage.begin() as work:
        work.tasks.remove(there.id)
        work.commit()
    assert autocommit.changed(known) == {there.id: None}
    assert autocommit.changed({TaskId(2**63 - 1): UNKNOWN_VERSION}) == {2**63 - 1: None}


def versions(storage: Storage, *ids: int) -> dict[Any, Version]:
    return dict(storage.autocommit.versions(set(map(TaskId, ids))))


def test_versions_of_unknown_ids_are_omitted(storage: Storage):
    add_one(storage)
    assert versions(storage, 1, 2).keys() == {1}
    assert versions(storage) == versions(storage, 7, 2**63 - 1) == {}


def test_a_version_stays_while_its_task_does_and_is_that_of_the_record(storage: Storage):
    add(storage, submission(), submission())
    before = versions(storage, 1, 2)
    claim_one(storage)
    assert versions(storage, 2) == {2: before[2]}
    assert stored(storage, 2).version == before[2]
    assert stored(storage, 1).version == versions(storage, 1)[1] != before[1]


def test_a_report_is_stored_where_its_task_is_still_held(storage: Storage):
    add(storage, submission(), submission())
    held, cancelled = (claimed.task for claimed in claim(storage, starting=0))
    save(storage, cancelled.cancel(at(1)))
    reports = [ProgressReport(each.hold, at(2), Progress(0.5)) for each in (held, cancelled)]
    assert list(storage.autocommit.report(reports)) == []
    assert (task(storage, held.id).started, task(storage, held.id).progress) == (at(2), Progress(0.5))
    assert task(storage, cancelled.id).started is None


@pytest.mark.parametrize("log", ["", "printed"])
def test_a_settlement_is_stored_with_its_record(storage: Storage, log: str):
    first, second = add_one(storage), add_one(storage)
    settlements = [
        Settlement.succeeded(each.task, at(0), str(each.task.id), log if each.task.id == second.id else "")
        for each in claim(storage)
    ]
    assert storage.autocommit.settle(settlements).refused == []
    assert [stored(storage, id).task for id in (first.id, second.id)] == [each.task for each in settlements]
    assert [stored(storage, id).result for id in (first.id, second.id)] == ["1", "2"]
    with storage.begin() as work:
        assert [each.log for each in work.tasks.attempts(second.id)] == [log] * bool(log)


@pytest.mark.parametrize("fails_beside", [False, True])
def test_a_success_is_stored_as_a_whole_whatever_is_settled_with_it(storage: Storage, fails_beside: bool):
    add(storage, *[submission(max_attempts=3, ttl=30)] * 2)
    for each in claim(storage):
        fail(storage, each.task, now=at(1))
    first, second = (each.task.reported(at(60), Progress(0.5, "half")) for each in claim(storage, now=at(59)))
    settlements = [Settlement.succeeded(first, at(3600), "1"), Settlement.succeeded(second, at(3600), "2")]
    if fails_beside:
        settlements[1] = Settlement.failed(second, at(3600), BOOM, PLAIN, 0)
    assert storage.autocommit.settle(settlements).refused == []
    assert [stored(storage, each.task.id).task for each in settlements] == [each.task for each in settlements]
    assert (first.attempt, first.error) == (2, Error("ValueError", "boom", 1))
    assert settlements[0].task.expire > first.expire


@pytest.mark.parametrize("log", ["", "printed"])
def test_a_settlement_is_written_once_and_refused_when_it_is_late(storage: Storage, log: str):
    kept, taken = add_one(storage), add_one(storage)
    settlements = [Settlement.succeeded(each.task, at(0), "1", log) for each in claim(storage, lease=1)]
    take_back(storage, HANDLER, at(2), limit=100)
    late = storage.autocommit.settle(settlements).refused
    assert {*late} == {kept.id, taken.id}
    (again, other) = claim(storage, now=at(3))
    ours = Settlement.succeeded(again.task, at(4), "2", log)
    for _ in range(2):
        assert storage.autocommit.settle([ours, settlements[1]]).refused == [taken.id]
    assert stored(storage, kept.id).result == "2"
    assert stored(storage, taken.id).task == other.task


def test_settling_nothing_refuses_nothing(autocommit: AutocommitStore):
    assert autocommit.settle([]).refused == []


@pytest.mark.parametrize("log", ["", "printed"])
def test_a_unit_of_work_settles_as_the_operation_does(storage: Storage, log: str):
    add(storage, *[submission()] * 3)
    first, cancelled, rolled_back = (Settlement.succeeded(each.task, at(1), "1", log) for each in claim(storage))
    save(storage, task(storage, 2).cancel(at(1)))
    with storage.begin() as work:
        assert list(work.queue.settle([first, cancelled])) == [2]
        work.commit()
    with storage.begin() as work:
        assert list(work.queue.settle([first])) == []
        assert list(work.queue.settle([rolled_back])) == []
    assert (task(storage, 1), stored(storage, 1).result) == (first.task, "1")
    assert task(storage, 3).lease is not None
    with storage.begin() as work:
        assert [[each.log for each in work.tasks.attempts(TaskId(id))] for id in (1, 2, 3)] == [
            [log] * bool(log),
            [],
            [],
        ]


class TestAdding:
    """Both ways of adding."""

    def test_ids_rise_in_the_order_given(self, add_once: Add):
        many = [submission(priority=nth % 100) for nth in range(300)]
        added = [task for task in add_once(*many) if task]
        assert [each.id for each in added] == sorted(each.id for each in added)
        assert [each.priority for each in added] == [each.options.priority for each in many]

    def test_a_task_is_added_once_for_each_key(self, storage: Storage, add_once: Add):
        first = add_once(submission(key="a"))[0]
        assert first is not None
        again, other, twice, none = add_once(*(submission(key=key) for key in ("a", "b", "b", None)))
        assert (again, twice) == (None, None)
        assert other is not None
        assert none is not None
        assert first.id < other.id < none.id
        assert stored(storage, other.id).task == other

    def test_adding_nothing_adds_nothing(self, add_once: Add):
        assert list(add_once()) == []
