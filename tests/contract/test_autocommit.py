"""Autocommit statements: units of work see their effects, and they see those of units of work."""

import pytest

from application.ports.autocommit import AutocommitStore
from application.ports.queue import ClaimRequest
from application.ports.unit_of_work import Begin
from domain.ids import TaskId
from domain.lease import Lease
from domain.settlement import Settlement
from domain.submission import Submission
from domain.task import Task
from tests.steps import (
    ADD,
    HANDLER,
    NOW,
    add_one,
    at,
    claim,
    claim_one,
    ids,
    stored,
    submission,
    succeed,
    take_back,
    task,
)

LEASE = Lease.granted(HANDLER, NOW, 30)


def added_at_once(autocommit: AutocommitStore, *submissions: Submission) -> list[Task]:
    return [task for task in autocommit.add(submissions) if task]


def test_a_task_that_was_added_is_there(begin: Begin, autocommit: AutocommitStore):
    added = added_at_once(autocommit, submission(args='{"a":"\\\\ \\""}', priority=7, timeout=2.5), submission())
    assert [stored(begin, each.id).task for each in added] == list(added)
    assert stored(begin, added[0].id).args == '{"a":"\\\\ \\""}'


def test_ids_rise_in_the_order_given(autocommit: AutocommitStore):
    many = [submission(priority=nth % 100) for nth in range(300)]
    added = added_at_once(autocommit, *many)
    assert [each.id for each in added] == sorted(each.id for each in added)
    assert [each.priority for each in added] == [each.options.priority for each in many]


def test_a_task_with_a_key_is_added_once(begin: Begin, autocommit: AutocommitStore):
    first = autocommit.add([submission(key="a")])[0]
    assert first is not None
    again, other, twice, none = autocommit.add([submission(key=key) for key in ("a", "b", "b", None)])
    assert (again, twice) == (None, None)
    assert other is not None
    assert none is not None
    assert first.id < other.id < none.id
    assert stored(begin, other.id).task == other


def test_an_unknown_id_is_not_found(begin: Begin, autocommit: AutocommitStore):
    there = add_one(begin)
    assert set(autocommit.get_many([there.id, TaskId(there.id + 1)])) == {there.id}
    assert set(autocommit.versions([there.id, TaskId(there.id + 1)])) == {there.id}
    assert autocommit.get_many([TaskId(there.id + 1)]) == {}


def test_tasks_are_seen_as_a_unit_of_work_sees_them(begin: Begin, autocommit: AutocommitStore):
    add_one(begin), add_one(begin, args='{"n":1}', callback="https://example.org/told")
    for _ in range(2):
        succeed(begin, claim_one(begin), result='{"b":"é\\u0000"}')
    found = autocommit.get_many([TaskId(1), TaskId(2)])
    assert found == {id: stored(begin, id) for id in found}
    assert len(found) == 2
    assert found[TaskId(2)].delivery == stored(begin, 2).delivery is not None


@pytest.mark.parametrize("times", [1, 2])
def test_a_version_is_another_whenever_the_task_is(begin: Begin, autocommit: AutocommitStore, times: int):
    id = add_one(begin).id
    seen = [autocommit.versions([id])[id], autocommit.get_many([id])[id].version]
    assert seen[0] == seen[1]
    claim_one(begin)
    if times == 2:
        succeed(begin, task(begin, id))
    assert autocommit.versions([id])[id] != seen[0]


def test_a_claimed_task_runs_under_the_lease(begin: Begin, autocommit: AutocommitStore):
    waiting = [add_one(begin, args=f'{{"n":{nth}}}', priority=nth).id for nth in range(4)]
    claimed = autocommit.claim(LEASE, NOW, ClaimRequest({ADD: 3}, 100, 10**9, starting=1))
    assert ids(claimed) == waiting[:0:-1]
    assert [each.args for each in claimed] == ['{"n":3}', '{"n":2}', '{"n":1}']
    assert [each.task for each in claimed] == [task(begin, each.task.id) for each in claimed]
    assert [each.task.started for each in claimed] == [NOW, None, None]
    assert {each.task.lease for each in claimed} == {LEASE}
    assert ids(autocommit.claim(LEASE, NOW, ClaimRequest({ADD: 3}, 100, 10**9, starting=1))) == waiting[:1]


def test_as_many_are_claimed_as_the_limit_allows(begin: Begin, autocommit: AutocommitStore):
    waiting = [add_one(begin).id for _ in range(3)]
    assert ids(autocommit.claim(LEASE, NOW, ClaimRequest({ADD: 9}, 1, 10**9, 0))) == waiting[:1]
    assert ids(autocommit.claim(LEASE, NOW, ClaimRequest({ADD: 9}, 2, 10**9, 0))) == waiting[1:]


@pytest.mark.parametrize("log", ["", "printed"])
def test_a_settled_task_stands_with_its_attempt(begin: Begin, autocommit: AutocommitStore, log: str):
    first, second = add_one(begin), add_one(begin)
    settlements = [
        Settlement.succeeded(each.task, NOW, str(each.task.id), log if each.task.id == second.id else "")
        for each in claim(begin)
    ]
    assert autocommit.settle(settlements) == []
    assert [stored(begin, id).task for id in (first.id, second.id)] == [each.task for each in settlements]
    assert [stored(begin, id).result for id in (first.id, second.id)] == ["1", "2"]
    with begin() as work:
        assert [each.log for each in work.tasks.attempts(second.id)] == [log] * bool(log)


@pytest.mark.parametrize("log", ["", "printed"])
def test_an_outcome_is_written_once_and_refused_when_it_is_late(begin: Begin, autocommit: AutocommitStore, log: str):
    kept, taken = add_one(begin), add_one(begin)
    settlements = [Settlement.succeeded(each.task, NOW, "1", log) for each in claim(begin, lease=1)]
    take_back(begin, HANDLER, at(2), limit=100)
    late = autocommit.settle(settlements)
    assert {*late} == {kept.id, taken.id}
    (again, other) = claim(begin, now=at(3))
    ours = Settlement.succeeded(again.task, at(4), "2", log)
    for _ in range(2):
        assert autocommit.settle([ours, settlements[1]]) == [taken.id]
    assert stored(begin, kept.id).result == "2"
    assert stored(begin, taken.id).task == other.task


def test_settling_nothing_is_no_error(autocommit: AutocommitStore):
    assert autocommit.settle([]) == []
