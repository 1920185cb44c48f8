"""Single steps: what works see of them, and what they see of works."""

import pytest

from application.ports.at_once import AtOnce
from application.ports.work import Begin
from domain.ids import TaskId
from domain.submission import Submission
from domain.task import Task
from tests.steps import add_one, claim_one, stored, submission, succeed, task


def added_at_once(at_once: AtOnce, *submissions: Submission) -> list[Task]:
    return [task for task in at_once.add(submissions) if task]


def test_what_was_added_is_there(begin: Begin, at_once: AtOnce):
    added = added_at_once(at_once, submission(args='{"a":"\\\\ \\""}', priority=7, timeout=2.5), submission())
    assert [stored(begin, each.id).task for each in added] == list(added)
    assert stored(begin, added[0].id).args == '{"a":"\\\\ \\""}'


def test_ids_rise_in_the_order_given(at_once: AtOnce):
    many = [submission(priority=nth % 100) for nth in range(300)]
    added = added_at_once(at_once, *many)
    assert [each.id for each in added] == sorted(each.id for each in added)
    assert [each.priority for each in added] == [each.options.priority for each in many]


def test_what_has_a_key_is_added_once(begin: Begin, at_once: AtOnce):
    first = at_once.add([submission(key="a")])[0]
    assert first is not None
    again, other, twice, none = at_once.add([submission(key=key) for key in ("a", "b", "b", None)])
    assert (again, twice) == (None, None)
    assert other is not None
    assert none is not None
    assert first.id < other.id < none.id
    assert stored(begin, other.id).task == other


def test_what_is_not_there_is_not_found(begin: Begin, at_once: AtOnce):
    there = add_one(begin)
    assert set(at_once.several([there.id, TaskId(there.id + 1)])) == {there.id}
    assert set(at_once.versions([there.id, TaskId(there.id + 1)])) == {there.id}
    assert at_once.several([TaskId(there.id + 1)]) == {}


def test_tasks_are_seen_as_a_work_sees_them(begin: Begin, at_once: AtOnce):
    add_one(begin), add_one(begin, args='{"n":1}', callback="https://example.org/told")
    for _ in range(2):
        succeed(begin, claim_one(begin), result='{"b":"é\\u0000"}')
    found = at_once.several([TaskId(1), TaskId(2)])
    assert found == {id: stored(begin, id) for id in found}
    assert len(found) == 2
    assert found[TaskId(2)].delivery == stored(begin, 2).delivery is not None


@pytest.mark.parametrize("times", [1, 2])
def test_a_version_is_another_whenever_the_task_is(begin: Begin, at_once: AtOnce, times: int):
    id = add_one(begin).id
    seen = [at_once.versions([id])[id], at_once.several([id])[id].version]
    assert seen[0] == seen[1]
    claim_one(begin)
    if times == 2:
        succeed(begin, task(begin, id))
    assert at_once.versions([id])[id] != seen[0]
