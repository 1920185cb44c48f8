"""Keys: at any time one task at most has each."""

import pytest

from application.errors import KeyTaken
from application.ports.task_repository import KeyOwner
from application.submissions import AddedOrFound, add_or_find
from domain.idempotency_key import item_key
from domain.ids import IdempotencyKey, TaskId
from tests.contract.conftest import Add
from tests.steps import add, add_one, at, claim, claim_one, fail, save, stored, submission, task
from tests.storage import Storage

FIRST, OTHER = IdempotencyKey("first key"), IdempotencyKey("~other/key")


def known(storage: Storage, *keys: str) -> dict[str, int]:
    with storage.begin() as work:
        return {key: found.task for key, found in work.tasks.key_owners(set(map(IdempotencyKey, keys))).items()}


def test_a_task_is_found_by_its_key_with_the_fingerprint_of_its_request(storage: Storage):
    add(storage, submission(key=FIRST, fingerprint="f1"), submission(key=OTHER, fingerprint="f2"), submission())
    with storage.begin() as work:
        assert work.tasks.key_owners({FIRST, IdempotencyKey("nobody's")}) == {FIRST: KeyOwner(TaskId(1), "f1")}
        assert work.tasks.key_owners(set()) == {}


def test_the_record_of_a_task_has_its_key(storage: Storage):
    with_key, without = add_one(storage, key="k"), add_one(storage)
    records = storage.autocommit.get_many([with_key.id, without.id])
    assert [records[each.id].key for each in (with_key, without)] == ["k", None]
    with storage.begin() as work:
        summary = work.tasks.get(with_key.id, max_bytes=0)
    assert summary
    assert (summary.is_summary, summary.key) == (True, "k")


def test_no_other_task_is_added_with_that_key(storage: Storage, add_once: Add):
    add(storage, submission(args='{"a":1}', key=FIRST))
    assert add_once(submission(args='{"a":2}', key=FIRST)) == [None]
    assert stored(storage, known(storage, FIRST)[FIRST]).args == '{"a":1}'


def test_of_submissions_with_one_key_the_first_is_added(storage: Storage, add_once: Add):
    one, again, other, without = add_once(
        submission("a", key=FIRST), submission("b", key=FIRST), submission("c", key=OTHER), submission("d")
    )
    assert again is None
    assert [each and each.type for each in (one, other, without)] == ["a", "c", "d"]
    assert one
    assert other
    assert without
    assert one.id < other.id < without.id


def test_keys_are_unique_among_thousands_of_submissions(storage: Storage, add_once: Add):
    keys = {2100: FIRST, 4300: OTHER, 4400: FIRST}
    added = add_once(*(submission(key=keys.get(n)) for n in range(4500)))
    assert [n for n, task in enumerate(added) if not task] == [4400]
    ids = [task.id for task in added if task]
    assert ids == sorted(ids)
    assert known(storage, FIRST, OTHER) == {FIRST: ids[2100], OTHER: ids[4300]}


def test_a_key_stays_with_its_task_whatever_happens_to_the_task(storage: Storage, add_once: Add):
    add(storage, submission(key=FIRST))
    running = claim_one(storage)
    assert add_once(submission(key=FIRST)) == [None]
    fail(storage, running)
    assert add_once(submission(key=FIRST)) == [None]
    assert known(storage, FIRST) == {FIRST: 1}


def test_a_retry_never_meets_another_task_with_its_key(storage: Storage, add_once: Add):
    add(storage, submission(key=FIRST), submission(key=OTHER))
    for id in (1, 2):
        save(storage, task(storage, id).cancel(at(1)))
        assert add_once(submission(key=FIRST), submission(key=OTHER)) == [None, None]
    for id in (1, 2):
        save(storage, task(storage, id).retry(at(2), attempts=1))
    assert [claimed.task.id for claimed in claim(storage, now=at(2))] == [1, 2]


def test_a_key_is_free_when_its_task_is_deleted(storage: Storage):
    add(storage, submission(key=FIRST, ttl=5), submission(key=OTHER))
    with storage.begin() as work:
        work.cleaning.delete_expired(at(10), 10)
        work.tasks.lock(TaskId(2))
        work.tasks.remove(TaskId(2))
        work.commit()
    assert known(storage, FIRST, OTHER) == {}
    add(storage, submission(key=FIRST), submission(key=OTHER))
    assert known(storage, FIRST, OTHER).keys() == {FIRST, OTHER}


def test_a_key_is_free_where_its_unit_of_work_was_not_committed(storage: Storage):
    with storage.begin() as work:
        work.tasks.add([submission(key=FIRST)])
    assert known(storage, FIRST) == {}
    add(storage, submission(key=FIRST))


def test_a_key_may_be_as_long_as_255_characters_and_have_any_of_ascii(storage: Storage):
    key = "".join(map(chr, range(32, 127))) + "x" * 160
    add(storage, submission(key=key))
    assert known(storage, key) == {key: 1}


class TestItemsOfABatch:
    BATCH = IdempotencyKey("batch")

    def submit(self, storage: Storage, *types: str, fingerprint: str = "whole") -> list[AddedOrFound]:
        items = (
            submission(type, key=item_key(self.BATCH, index), fingerprint=fingerprint)
            for index, type in enumerate(types)
        )
        with storage.begin() as work:
            found = add_or_find(work, list(items))
            work.commit()
        return list(found)

    def test_a_repeated_batch_finds_every_task_of_the_first(self, storage: Storage):
        first, again = self.submit(storage, "a", "b", "a"), self.submit(storage, "a", "b", "a")
        assert [each.id for each in first] == [each.id for each in again]
        assert [bool(each.new) for each in (*first, *again)] == [True] * 3 + [False] * 3

    def test_another_batch_with_the_key_adds_no_task(self, storage: Storage):
        first = self.submit(storage, "a", "b")
        for others in (["a"], ["a", "b", "c"]):
            with pytest.raises(KeyTaken) as refusal:
                self.submit(storage, *others, fingerprint="other")
            assert refusal.value.tasks[0] == first[0].id
        assert self.submit(storage, "a", "b")[1].id == first[1].id

    def test_the_key_of_a_batch_is_no_key_of_a_single_task(self, storage: Storage):
        self.submit(storage, "a")
        assert add(storage, submission(key=self.BATCH))

    def test_the_key_of_an_item_is_free_when_its_task_is_deleted(self, storage: Storage):
        first = self.submit(storage, "a", "b")
        with storage.begin() as work:
            work.tasks.lock(first[0].id)
            work.tasks.remove(first[0].id)
            work.commit()
        again = self.submit(storage, "a", "b")
        assert (bool(again[0].new), again[1].id) == (True, first[1].id)
