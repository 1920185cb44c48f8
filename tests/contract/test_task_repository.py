"""The task repository: submitting, viewing and changing tasks."""

import pytest

from application.ports.queue import ProgressReport
from application.ports.unit_of_work import Begin
from domain.errors import InvalidTransition
from domain.ids import TaskId
from domain.progress import Progress
from domain.status import Status
from tests.steps import NOW, add, add_one, at, claim_one, fail, report, save, stored, submission, succeed, task


def test_a_task_is_there_once_its_unit_of_work_was_committed(begin: Begin):
    added = add_one(begin, args='{"a":1}', priority=7, max_attempts=3, max_losses=0, timeout=2.5)
    assert added == submission(args='{"a":1}', priority=7, max_attempts=3, max_losses=0, timeout=2.5).registered(
        added.id
    )
    assert (stored(begin, added.id).task, stored(begin, added.id).args) == (added, '{"a":1}')


def test_a_unit_of_work_that_was_not_committed_leaves_nothing_behind(begin: Begin):
    with begin() as work:
        (task,) = work.tasks.add([submission()])
    with begin() as work:
        assert work.tasks.get(task.id) is None


def test_a_unit_of_work_that_raises_leaves_nothing_behind(begin: Begin):
    with pytest.raises(ZeroDivisionError), begin() as work:
        (task,) = work.tasks.add([submission()])
        raise ZeroDivisionError
    with begin() as work:
        assert work.tasks.get(task.id) is None


def test_ids_rise_from_1_in_the_order_of_adding(begin: Begin):
    tasks = add(begin, *(submission(args=f'{{"n":{n}}}') for n in range(50)))
    assert [task.id for task in tasks] == list(range(1, 51))
    assert [stored(begin, task.id).args for task in tasks] == [f'{{"n":{n}}}' for n in range(50)]


def test_adding_nothing_is_no_error(begin: Begin):
    assert list(add(begin)) == []


def test_many_tasks_are_stored_in_their_order(begin: Begin):
    assert [task.id for task in add(begin, *(submission(args=f"[{n}]") for n in range(4500)))] == list(range(1, 4501))
    some = (1, 2000, 2001, 4000, 4001, 4500)
    assert [stored(begin, id).args for id in some] == [f"[{id - 1}]" for id in some]


@pytest.mark.parametrize("id", [0, 1, 2**63 - 1])
def test_an_id_that_is_not_there_is_none(begin: Begin, id: int):
    with begin() as work:
        assert work.tasks.get(TaskId(id)) is None
        assert list(work.tasks.lock(TaskId(id))) == []


@pytest.mark.parametrize(
    "args",
    [
        '{"nul":"\\u0000"}',
        '{"z":1,"a":2,"m":-0.0}',
        '{"n":' + "9" * 4300 + "}",
        '{"t":"%s %(a)s :b \'\\\\ 😀"}',
        '{"x":1e-320}',
    ],
)
def test_arguments_come_back_as_they_went_in(begin: Begin, args: str):
    assert stored(begin, add_one(begin, args=args).id).args == args


def test_a_result_comes_back_as_it_went_in(begin: Begin):
    add_one(begin)
    succeed(begin, claim_one(begin), result='{"b":[1.0,null],"a":"\\u0000"}')
    assert stored(begin, 1).result == '{"b":[1.0,null],"a":"\\u0000"}'


def test_a_cancelled_task_is_kept_as_saved(begin: Begin):
    add_one(begin)
    save(begin, task(begin, 1).cancel(at(1)))
    assert task(begin, 1).status is Status.CANCELLED
    assert task(begin, 1).finished == at(1)


def test_a_retried_task_waits_under_its_id_with_attempts_left(begin: Begin):
    add_one(begin)
    fail(begin, claim_one(begin))
    failed = task(begin, 1)
    save(begin, failed.retry(at(5), attempts=2))
    assert task(begin, 1) == failed.retry(at(5), attempts=2)
    assert claim_one(begin, now=at(5)).attempt == 2


def test_a_removed_task_is_gone_with_its_attempts(begin: Begin):
    add_one(begin)
    fail(begin, claim_one(begin))
    with begin() as work:
        work.tasks.lock(TaskId(1))
        work.tasks.remove(TaskId(1))
        work.commit()
    with begin() as work:
        assert work.tasks.get(TaskId(1)) is None
        assert list(work.tasks.attempts(TaskId(1))) == []


def test_a_running_task_may_not_be_removed(begin: Begin):
    add_one(begin)
    with pytest.raises(InvalidTransition):
        claim_one(begin).check_deletable()


def test_times_come_back_to_the_microsecond(begin: Begin):
    run_at = at(3600.123456)
    assert stored(begin, add_one(begin, run_at=run_at).id).task.run_at == run_at
    assert stored(begin, 1).task.created == NOW


def versions(begin: Begin, *ids: int) -> dict[int, int]:
    with begin() as work:
        return dict(work.tasks.versions(set(map(TaskId, ids))))


def test_a_task_has_another_version_after_every_change(begin: Begin):
    add_one(begin)
    seen = [versions(begin, 1)[1]]

    def note() -> None:
        seen.append(versions(begin, 1)[1])

    running = claim_one(begin)
    note()
    report(begin, ProgressReport(running.hold, at(1), Progress(0.5)))
    note()
    fail(begin, running)
    note()
    save(begin, task(begin, 1).retry(at(5), attempts=2))
    note()
    assert len(set(seen)) == len(seen)
    assert 0 not in seen


def test_a_version_stays_while_nothing_changes_and_is_the_one_that_is_seen_with_the_task(begin: Begin):
    add(begin, submission(), submission())
    before = versions(begin, 1, 2)
    claim_one(begin)
    assert versions(begin, 2) == {2: before[2]}
    assert stored(begin, 2).version == before[2]
    assert stored(begin, 1).version == versions(begin, 1)[1] != before[1]


def test_an_unknown_id_has_no_version(begin: Begin):
    assert versions(begin) == versions(begin, 7, 2**63 - 1) == {}
