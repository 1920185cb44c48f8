"""Listing, newest first, and counting."""

from typing import Any

import pytest

from application.ports.listing import Counts, Filter
from domain.ids import TaskId, TypeName
from domain.status import Status
from tests.steps import add, add_one, at, claim, claim_one, fail, save, submission, succeed, task
from tests.storage import Storage

A, B = TypeName("a"), TypeName("b")


def page(storage: Storage, before: int | None = None, limit: int = 10, **filter: Any) -> list[int]:
    with storage.begin() as work:
        found = work.listing.page(Filter(**filter), None if before is None else TaskId(before), limit)
    assert all(each == task(storage, each.id) for each in found)
    return [each.id for each in found]


def counts(storage: Storage) -> Counts:
    with storage.begin() as work:
        return work.listing.counts()


def fold(storage: Storage, limit: int = 100) -> int:
    with storage.begin() as work:
        folded = work.cleaning.fold_counts(limit)
        work.commit()
    return folded


def only(*statuses: Status) -> frozenset[Status]:
    return frozenset(statuses)


@pytest.fixture
def of_each_status(storage: Storage) -> Storage:
    """Tasks from 1 to 5, of both types by turns: cancelled, failed, done, running, waiting."""
    add(storage, *(submission("ab"[n % 2]) for n in range(5)))
    save(storage, task(storage, 1).cancel(at(1)))
    fail(storage, claim_one(storage, wanted={"b": 1}))
    succeed(storage, claim_one(storage, wanted={"a": 1}))
    claim_one(storage, wanted={"b": 1})
    return storage


class TestPages:
    def test_the_newest_tasks_come_first(self, storage: Storage):
        add(storage, *[submission()] * 3)
        assert page(storage) == [3, 2, 1]

    def test_a_page_goes_on_where_another_ended(self, storage: Storage):
        add(storage, *[submission()] * 5)
        assert page(storage, limit=2) == [5, 4]
        assert page(storage, before=4, limit=2) == [3, 2]
        assert page(storage, before=1) == []
        assert page(storage, before=0) == []

    @pytest.mark.parametrize("filter", [{}, {"type": A}, {"statuses": only(Status.WAITING)}, {"terms": frozenset({7})}])
    def test_tasks_that_are_added_meanwhile_move_no_page(self, storage: Storage, filter: dict[str, Any]):
        add(storage, *[submission("a", terms=(7,))] * 5)
        assert page(storage, limit=2, **filter) == [5, 4]
        add(storage, *[submission("a", terms=(7,))] * 5)
        assert page(storage, before=4, limit=2, **filter) == [3, 2]
        assert page(storage, before=2, limit=2, **filter) == [1]


class TestFilters:
    def test_status_and_type_narrow_the_list(self, storage: Storage):
        add(storage, submission("a"), submission("b"), submission("a"))
        claim(storage, 1, wanted={"a": 1})
        assert page(storage, type=A) == [3, 1]
        assert page(storage, statuses=only(Status.RUNNING)) == [1]
        assert page(storage, statuses=only(Status.WAITING), type=A) == [3]
        assert page(storage, type=TypeName("nobody's")) == []

    def test_any_set_of_statuses_may_be_asked_for(self, of_each_status: Storage):
        assert page(of_each_status, statuses=only(Status.CANCELLED, Status.FAILED)) == [2, 1]
        assert page(of_each_status, statuses=only(Status.WAITING, Status.RUNNING)) == [5, 4]
        assert page(of_each_status, statuses=only(Status.RUNNING, Status.DONE), type=A) == [3]
        assert page(of_each_status, statuses=only()) == []
        assert page(of_each_status) == [5, 4, 3, 2, 1]

    def test_a_page_of_one_kind_is_as_long_as_was_asked_for(self, storage: Storage):
        add(storage, *(submission("ab"[n % 2]) for n in range(6)))
        assert page(storage, statuses=only(Status.WAITING), limit=3) == [6, 5, 4]
        assert page(storage, statuses=only(Status.WAITING), limit=3, before=4) == [3, 2, 1]

    def test_created_after_is_inclusive_and_created_before_exclusive(self, storage: Storage):
        add(storage, *(submission(now=at(second)) for second in (0, 10, 20)))
        assert page(storage, created_after=at(10)) == [3, 2]
        assert page(storage, created_before=at(10)) == [1]
        assert page(storage, created_after=at(10), created_before=at(20)) == [2]
        assert page(storage, created_after=at(10.001), created_before=at(20)) == []
        assert page(storage, created_after=at(20), created_before=at(10)) == []

    def test_a_task_that_was_stored_a_little_out_of_order_is_not_missed(self, storage: Storage):
        add(storage, *(submission(now=at(second)) for second in (0, 100, 70, 130, 105, 200)))
        assert page(storage, created_after=at(100)) == [6, 5, 4, 2]
        assert page(storage, created_before=at(100)) == [3, 1]

    def test_times_are_found_among_many_with_gaps_between_them(self, storage: Storage):
        add(storage, *(submission(now=at(1000 * n)) for n in range(100)))
        with storage.begin() as work:
            for id in [*range(1, 20), *range(30, 80, 2), 100]:
                work.tasks.remove(TaskId(id))
            work.commit()
        for n in range(101):
            left = [id for id in range(99, 19, -1) if id < 30 or id >= 80 or id % 2]
            assert page(storage, created_after=at(1000 * n), limit=100) == [id for id in left if id > n]
            assert page(storage, created_before=at(1000 * n), limit=100) == [id for id in left if id <= n]

    def test_times_combine_with_every_other_filter(self, of_each_status: Storage):
        add(of_each_status, *(submission("a", now=at(1000), terms=(7,)) for _ in range(2)))
        assert page(of_each_status, type=A, created_after=at(1000)) == [7, 6]
        assert page(of_each_status, type=A, created_before=at(1000)) == [5, 3, 1]
        assert page(of_each_status, statuses=only(Status.RUNNING), created_after=at(1)) == []
        assert page(of_each_status, terms=frozenset({7}), created_after=at(1000)) == [7, 6]
        assert page(of_each_status, terms=frozenset({7}), created_before=at(1000)) == []

    def test_a_task_is_found_if_it_has_each_of_the_terms(self, storage: Storage):
        add(storage, *(submission(terms=terms) for terms in [(1, 2), (2, -(2**63)), (2**63 - 1,), (), (1,)]))
        assert page(storage, terms=frozenset({1})) == [5, 1]
        assert page(storage, terms=frozenset({2, 1})) == [1]
        assert page(storage, terms=frozenset({-(2**63)})) == [2]
        assert page(storage, terms=frozenset({2**63 - 1, 1})) == []
        assert page(storage, terms=frozenset({3})) == []

    def test_terms_combine_with_status_and_type(self, storage: Storage):
        add(storage, *(submission("ab"[n % 2], terms=(7,)) for n in range(4)))
        claim(storage, 1, wanted={"a": 1})
        assert page(storage, terms=frozenset({7}), type=A) == [3, 1]
        assert page(storage, terms=frozenset({7}), statuses=only(Status.RUNNING)) == [1]
        assert page(storage, terms=frozenset({7}), before=3, limit=1) == [2]

    def test_a_term_that_a_task_has_twice_counts_once(self, storage: Storage):
        add_one(storage, terms=(7, 7))
        assert page(storage, terms=frozenset({7})) == [1]

    def test_a_removed_task_is_found_no_more(self, storage: Storage):
        add(storage, *[submission(terms=(7, 8))] * 2)
        with storage.begin() as work:
            work.tasks.remove(TaskId(1))
            work.commit()
        assert page(storage, terms=frozenset({7})) == [2]


class TestCounts:
    def test_an_empty_storage_has_no_counts(self, storage: Storage):
        assert counts(storage) == {}

    def test_every_status_of_every_type_is_counted(self, of_each_status: Storage):
        assert counts(of_each_status) == {
            A: {Status.CANCELLED: 1, Status.DONE: 1, Status.WAITING: 1},
            B: {Status.FAILED: 1, Status.RUNNING: 1},
        }

    def test_a_task_is_counted_under_its_present_status_only(self, storage: Storage):
        add(storage, *[submission("a")] * 3)
        claimed = claim(storage, 2, wanted={"a": 2})
        assert counts(storage) == {A: {Status.WAITING: 1, Status.RUNNING: 2}}
        for each in claimed:
            succeed(storage, each.task)
        assert counts(storage) == {A: {Status.WAITING: 1, Status.DONE: 2}}

    def test_a_deleted_task_is_counted_no_more(self, storage: Storage):
        add(storage, submission("a", ttl=1), submission("b"))
        with storage.begin() as work:
            work.cleaning.delete_expired(at(10), 10)
            work.commit()
        assert counts(storage) == {B: {Status.WAITING: 1}}

    def test_a_task_that_is_rolled_back_is_not_counted(self, storage: Storage):
        add_one(storage, "a")
        with storage.begin() as work:
            work.tasks.add([submission("a")])
        assert counts(storage) == {A: {Status.WAITING: 1}}

    @pytest.mark.parametrize("limit", [2, 3, 100])
    def test_folding_comes_to_an_end_and_changes_no_count(self, of_each_status: Storage, limit: int):
        before = counts(of_each_status)
        while fold(of_each_status, limit):
            assert counts(of_each_status) == before
        assert counts(of_each_status) == before
