"""References to results: what is stored of them, how results are read together, and how long they are kept."""

from datetime import datetime

from application.ports.autocommit import AutocommitStore, StoredResult
from domain.dependencies import Dependencies
from domain.ids import TaskId
from domain.status import Status
from domain.task import Task
from tests.contract.test_dependencies import unblock
from tests.steps import NOW, add_one, at, claim, claim_one, fail, stored, submission, succeed
from tests.storage import Storage

MANY = 10**9


def add_referring(storage: Storage, *parents: Task, ttl: int = 600) -> Task:
    """Add a task whose arguments refer to results of these."""
    waits = Dependencies(parents=frozenset(each.id for each in parents), has_references=True)
    with storage.begin() as work:
        (added,) = work.tasks.add([submission(dependencies=waits, ttl=ttl)])
        assert added
        assert not work.dependencies.add({added.id: waits})
        work.commit()
    return added


def done(storage: Storage, result: str, now: datetime = NOW) -> Task:
    add_one(storage)
    task = claim_one(storage)
    succeed(storage, task, now, result)
    return task


def expire(storage: Storage, now: datetime) -> int:
    with storage.begin() as work:
        deleted = work.cleaning.delete_expired(now, 100).deleted
        work.commit()
    return deleted


def test_a_task_says_whether_its_arguments_refer_to_results(storage: Storage):
    parent = done(storage, "1")
    child = add_referring(storage, parent)
    assert child.has_references
    assert stored(storage, child.id).task.has_references
    assert not stored(storage, parent.id).task.has_references
    unblock(storage)
    ((claimed, _),) = claim(storage)
    assert (claimed.id, claimed.has_references) == (child.id, True)
    add_one(storage)
    assert not claim_one(storage).has_references


def test_arguments_are_replaced_before_the_task_can_run(storage: Storage):
    parent = add_one(storage)
    with storage.begin() as work:
        waits = Dependencies(parents=frozenset({parent.id}), has_references=True)
        children = work.tasks.add([submission(args=f'{{"n":{n}}}', dependencies=waits) for n in range(3)])
        ids = [each.id for each in children if each]
        work.tasks.replace_args({ids[0]: '{"a":"é\\"\\\\,{}"}', ids[2]: '{"c":3}'})
        work.tasks.replace_args({})
        work.dependencies.add(dict.fromkeys(ids, waits))
        work.commit()
    assert [stored(storage, id).args for id in ids] == ['{"a":"é\\"\\\\,{}"}', '{"n":1}', '{"c":3}']


class TestResults:
    def test_results_of_done_tasks_are_read_with_the_states_of_all(self, storage: Storage, autocommit: AutocommitStore):
        first, failed = done(storage, '{"a": 1.50}'), add_one(storage)
        fail(storage, claim_one(storage), at(1))
        waiting = add_one(storage)
        known = dict.fromkeys([waiting.id, TaskId(77), first.id, failed.id])
        assert autocommit.results(known, MANY) == {
            first.id: StoredResult(Status.DONE, NOW, '{"a": 1.50}'),
            failed.id: StoredResult(Status.FAILED, at(1)),
            waiting.id: StoredResult(Status.WAITING, None),
        }
        assert autocommit.results({}, MANY) == {}

    def test_a_result_is_left_out_that_is_known_from_the_same_end(self, storage: Storage, autocommit: AutocommitStore):
        first, second = done(storage, "1", at(0.123456)), done(storage, "2", at(1))
        read = autocommit.results({first.id: at(0.123456), second.id: NOW}, MANY)
        assert [each.text for each in read.values()] == [None, "2"]

    def test_the_first_results_within_the_bound_are_read(self, storage: Storage, autocommit: AutocommitStore):
        ids = [done(storage, f'"{text}"').id for text in ("aaaa", "éé", "b")]
        wanted = [ids[1], ids[0], ids[2]]
        texts = [
            [autocommit.results(dict.fromkeys(wanted), bound)[id].text for id in wanted] for bound in (1, 6, 12, 15)
        ]
        full = ['"éé"', '"aaaa"', '"b"']
        assert texts == [[full[0], None, None], [full[0], None, None], [*full[:2], None], full]
        known = {wanted[0]: NOW, wanted[1]: None, wanted[2]: None}
        assert [autocommit.results(known, 1)[id].text for id in wanted] == [None, full[1], None]


def test_a_result_is_kept_until_the_task_that_refers_to_it_has_finished(storage: Storage):
    parent = done(storage, "5")
    add_referring(storage, parent, ttl=1_000_000)
    unblock(storage)
    assert expire(storage, at(1_000)) == 0
    child = claim_one(storage, now=at(1_000))
    assert expire(storage, at(2_000)) == 0
    assert text_of(storage, parent) == "5"
    succeed(storage, child, at(2_000))
    assert expire(storage, at(3_000)) == 1
    assert text_of(storage, parent) is None


def text_of(storage: Storage, task: Task) -> str | None:
    found = storage.autocommit.results({task.id: None}, MANY)
    return found[task.id].text if found else None
