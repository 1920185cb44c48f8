"""Keys: at any time one task at most has each."""

from application.ports.task_repository import KeyOwner
from application.ports.unit_of_work import Begin
from domain.ids import IdempotencyKey, TaskId
from tests.steps import add, add_once, at, claim, claim_one, fail, save, stored, submission, task

FIRST, OTHER = IdempotencyKey("first key"), IdempotencyKey("~other/key")


def known(begin: Begin, *keys: str) -> dict[str, int]:
    with begin() as work:
        return {key: found.task for key, found in work.tasks.key_owners(set(map(IdempotencyKey, keys))).items()}


def test_a_task_is_found_by_its_key_with_the_fingerprint_of_its_request(begin: Begin):
    add(begin, submission(key=FIRST, fingerprint="f1"), submission(key=OTHER, fingerprint="f2"), submission())
    with begin() as work:
        assert work.tasks.key_owners({FIRST, IdempotencyKey("nobody's")}) == {FIRST: KeyOwner(TaskId(1), "f1")}
        assert work.tasks.key_owners(set()) == {}


def test_no_other_task_is_added_with_that_key(begin: Begin):
    add(begin, submission(args='{"a":1}', key=FIRST))
    assert add_once(begin, submission(args='{"a":2}', key=FIRST)) == [None]
    assert stored(begin, known(begin, FIRST)[FIRST]).args == '{"a":1}'


def test_the_first_of_those_that_come_together_has_the_key(begin: Begin):
    one, again, other, without = add_once(
        begin, submission("a", key=FIRST), submission("b", key=FIRST), submission("c", key=OTHER), submission("d")
    )
    assert again is None
    assert [each and each.type for each in (one, other, without)] == ["a", "c", "d"]
    assert one
    assert other
    assert without
    assert one.id < other.id < without.id


def test_the_first_has_the_key_however_many_come_together(begin: Begin):
    keys = {2100: FIRST, 4300: OTHER, 4400: FIRST}
    added = add_once(begin, *(submission(key=keys.get(n)) for n in range(4500)))
    assert [n for n, task in enumerate(added) if not task] == [4400]
    ids = [task.id for task in added if task]
    assert ids == sorted(ids)
    assert known(begin, FIRST, OTHER) == {FIRST: ids[2100], OTHER: ids[4300]}


def test_a_key_stays_with_its_task_until_that_is_deleted(begin: Begin):
    add(begin, submission(key=FIRST))
    running = claim_one(begin)
    assert add_once(begin, submission(key=FIRST)) == [None]
    fail(begin, running)
    assert add_once(begin, submission(key=FIRST)) == [None]
    assert known(begin, FIRST) == {FIRST: 1}


def test_a_retry_never_meets_another_task_with_its_key(begin: Begin):
    add(begin, submission(key=FIRST), submission(key=OTHER))
    for id in (1, 2):
        save(begin, task(begin, id).cancel(at(1)))
        assert add_once(begin, submission(key=FIRST), submission(key=OTHER)) == [None, None]
    for id in (1, 2):
        save(begin, task(begin, id).retry(at(2), attempts=1))
    assert [claimed.task.id for claimed in claim(begin, now=at(2))] == [1, 2]


def test_a_key_is_free_when_its_task_is_deleted(begin: Begin):
    add(begin, submission(key=FIRST, ttl=5), submission(key=OTHER))
    with begin() as work:
        work.cleaning.delete_expired(at(10), 10)
        work.tasks.lock(TaskId(2))
        work.tasks.remove(TaskId(2))
        work.commit()
    assert known(begin, FIRST, OTHER) == {}
    add(begin, submission(key=FIRST), submission(key=OTHER))
    assert known(begin, FIRST, OTHER).keys() == {FIRST, OTHER}


def test_a_key_is_free_where_its_unit_of_work_was_not_committed(begin: Begin):
    with begin() as work:
        work.tasks.add([submission(key=FIRST)])
    assert known(begin, FIRST) == {}
    add(begin, submission(key=FIRST))


def test_a_key_may_be_as_long_as_255_characters_and_have_any_of_ascii(begin: Begin):
    key = "".join(map(chr, range(32, 127))) + "x" * 160
    add(begin, submission(key=key))
    assert known(begin, key) == {key: 1}
