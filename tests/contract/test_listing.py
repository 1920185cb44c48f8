"""Listing, newest first, and counting."""

from datetime import datetime
from typing import Any

import pytest

from application.ports.batches import NewBatch
from application.ports.listing import Counts, End, Filter, Part, Texts
from domain.failure import Error, Failure
from domain.ids import BatchId, TaskId, TypeName
from domain.status import Status
from tests.steps import NOW, add, add_one, at, claim, claim_one, fail, save, submission, succeed, task
from tests.storage import Storage

A, B = TypeName("a"), TypeName("b")


def page(storage: Storage, before: int | None = None, limit: int = 10, **filter: Any) -> list[int]:
    with storage.begin() as work:
        found = work.listing.search(Filter(**filter), None if before is None else TaskId(before), limit).tasks
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


def fail_with(storage: Storage, type: str, message: str, of: str = "ValueError", second: float = 0) -> int:
    """Add a task that fails so, and return its id."""
    added = add_one(storage, type)
    fail(
        storage, claim_one(storage, wanted={type: 1}, now=at(second)), at(second), Failure(of, message, retriable=False)
    )
    return added.id


def groups(storage: Storage, limit: int = 10) -> list[tuple[str, int, float, float]]:
    """The type, the number of tasks, and the first and the last second of each failure group, the largest first."""
    with storage.begin() as work:
        found = work.listing.failure_groups(limit)
    return [(each.type, each.count, seconds(each.first), seconds(each.last)) for each in found]


def seconds(moment: datetime) -> float:
    return (moment - NOW).total_seconds()


class TestSearchForErrors:
    def test_failed_tasks_are_found_by_the_type_of_their_error_in_any_case(self, storage: Storage):
        for of in ("ValueError", "KeyError", "valueerror", "ValueErrors", "Error404", "Error405"):
            fail_with(storage, "a", "boom", of)
        assert page(storage, error_type="VALUEERROR") == [3, 1]
        assert page(storage, error_type="Value") == []
        assert page(storage, error_type="error404") == [5]

    def test_failed_tasks_are_found_by_a_part_of_their_error_in_any_case(self, storage: Storage):
        for message in (
            "row 7 of 10 is gone",
            "row 77 is GONE",
            "Zürich ist weg",
            'a "quoted" \\ \n\0 text',
            "0x1f leaks",
        ):
            fail_with(storage, "a", message)
        assert page(storage, error="is gone") == [2, 1]
        assert page(storage, error="row 7 ") == [1]
        assert page(storage, error="w 7") == [2, 1]
        assert page(storage, error="ZÜRICH") == [3]
        assert page(storage, error='"quoted" \\ \n\0 t') == [4]
        assert page(storage, error="x1F L") == [5]
        assert page(storage, error="ValueError: row") == [2, 1]
        assert page(storage, error="row N") == []

    def test_only_failed_tasks_are_found_by_errors(self, storage: Storage):
        add_one(storage, "a")
        fail(storage, claim_one(storage, wanted={"a": 1}))
        save(storage, task(storage, 1).retry(at(1), 1))
        fail_with(storage, "b", "boom")
        assert task(storage, 1).error is not None
        assert page(storage, error="boom") == [2]
        assert page(storage, error="boom", statuses=only(Status.WAITING, Status.DONE)) == []
        assert page(storage, error="boom", type=A) == []

    def test_a_search_for_errors_combines_with_terms_times_and_pages(self, storage: Storage):
        add(storage, *(submission("a", terms=(n % 2,), now=at(n)) for n in range(6)))
        for _ in range(6):
            fail(storage, claim_one(storage, wanted={"a": 1}, now=at(10)), at(10))
        assert page(storage, error="boom", terms=frozenset({1})) == [6, 4, 2]
        assert page(storage, error="boom", created_after=at(4)) == [6, 5]
        assert page(storage, error="boom", limit=2, before=4) == [3, 2]
        assert page(storage, error="boom", ids=frozenset({TaskId(2), TaskId(5)})) == [5, 2]

    def test_text_beyond_the_part_that_groups_have_in_common_is_found(self, storage: Storage):
        fail_with(storage, "a", "x" * 400 + " first")
        fail_with(storage, "a", "x" * 400 + " second")
        assert page(storage, error="x second") == [2]

    def test_very_many_groups_are_searched_one_task_after_the_other(
        self, storage: Storage, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("adapters.postgres.listing.MAX_GROUPS", 2)
        for message in "abcd":
            fail_with(storage, "a", message)
        assert page(storage, error="error: b") == [2]

    @pytest.mark.parametrize("filter", [{"error": "boom"}, {"finished_after": at(0)}])
    @pytest.mark.parametrize("limit", [1, 2, 7])
    def test_tasks_of_several_groups_are_merged_newest_first(
        self, storage: Storage, monkeypatch: pytest.MonkeyPatch, filter: dict[str, Any], limit: int
    ):
        monkeypatch.setattr("adapters.postgres.listing.FIRST_LOOK_TASKS", 3)
        for n, type in enumerate("aaabbbacbbbaaa"):
            fail_with(storage, type, f"boom {'x' * (n % 2)}")
        found: list[int] = []
        before: TaskId | None = None
        while not found or before:
            with storage.begin() as work:
                search = work.listing.search(Filter(**filter), before, limit)
            found += [each.id for each in search.tasks]
            before = search.next
        assert found == list(range(14, 0, -1))

    @pytest.mark.parametrize("filter", [{"error": "rare"}, {"finished_before": at(1)}])
    def test_a_long_search_ends_early_and_goes_on_from_there(
        self, storage: Storage, monkeypatch: pytest.MonkeyPatch, filter: dict[str, Any]
    ):
        monkeypatch.setattr("application.ports.listing.MAX_LOOKED_TASKS", 2)
        monkeypatch.setattr("adapters.postgres.listing.MAX_GROUPS", 0)
        for n in range(7):
            fail_with(storage, "a", "common" if n else "rare", second=n)
        found, before, searches = [], None, 0
        while searches == 0 or before:
            with storage.begin() as work:
                search = work.listing.search(Filter(**filter), before, 5)
            found += [each.id for each in search.tasks]
            before, searches = search.next, searches + 1
        assert (found, searches) == ([1], 4)


class TestSearchForEnds:
    def test_finished_after_is_inclusive_and_finished_before_exclusive(self, storage: Storage):
        for n in range(3):
            fail_with(storage, "ab"[n % 2], "boom", second=10 * n)
        add_one(storage)
        assert page(storage, finished_after=at(10)) == [3, 2]
        assert page(storage, finished_before=at(10)) == [1]
        assert page(storage, finished_after=at(10), finished_before=at(20)) == [2]
        assert page(storage, finished_after=at(10), statuses=only(Status.WAITING)) == []
        assert page(storage, finished_after=at(0), type=A, limit=1) == [3]
        assert page(storage, finished_after=at(0), terms=frozenset({1})) == []

    def test_as_of_leaves_out_what_has_finished_since_then(self, of_each_status: Storage):
        fail_with(of_each_status, "c", "boom", second=20)
        assert page(of_each_status, as_of=at(10)) == [5, 4, 3, 2, 1]
        assert page(of_each_status, as_of=at(20)) == [6, 5, 4, 3, 2, 1]
        assert page(of_each_status, as_of=at(10), statuses=only(Status.FAILED)) == [2]
        assert page(of_each_status, as_of=at(10), error="boom") == [2]
        assert page(of_each_status, as_of=at(10), ids=frozenset({TaskId(2), TaskId(6)})) == [2]

    def test_tasks_are_found_by_their_ids(self, of_each_status: Storage):
        ids = frozenset(map(TaskId, (1, 2, 5, 99)))
        assert page(of_each_status, ids=ids) == [5, 2, 1]
        assert page(of_each_status, ids=ids, limit=2) == [5, 2]
        assert page(of_each_status, ids=ids, before=5, type=A) == [1]
        assert page(of_each_status, ids=ids, statuses=only(Status.FAILED)) == [2]
        assert page(of_each_status, ids=frozenset()) == []

    def test_pages_of_many_ids_go_on_behind_each_other(self, storage: Storage):
        add(storage, *(submission("ab"[n % 2]) for n in range(10)))
        ids = frozenset(map(TaskId, range(2, 30)))
        assert page(storage, ids=ids, limit=3) == [10, 9, 8]
        assert page(storage, ids=ids, before=8, limit=3) == [7, 6, 5]
        assert page(storage, ids=ids, before=8, limit=3, type=A) == [7, 5, 3]
        assert page(storage, ids=ids, before=4, limit=3) == [3, 2]

    def test_ids_combine_with_a_failure_group(self, storage: Storage):
        for message in ("boom", "boom", "other"):
            fail_with(storage, "a", message)
        with storage.begin() as work:
            (group,) = (each.number for each in work.listing.failure_groups(10) if each.count == 2)
        assert page(storage, failure_group=group, ids=frozenset(map(TaskId, (2, 3)))) == [2]


def by_end(storage: Storage, ids: range, after: End | None = None, limit: int = 10, **filter: Any) -> list[int]:
    with storage.begin() as work:
        found = work.listing.search_by_end(Filter(ids=frozenset(map(TaskId, ids)), **filter), after, limit)
    assert all(each == task(storage, each.id) for each in found)
    return [each.id for each in found]


class TestSearchByEnd:
    @pytest.fixture
    def ended(self, storage: Storage) -> Storage:
        """Tasks from 1 to 6: 2 and 3 have ended first and at once, then 1 and 5; 4 and 6 have not."""
        add(storage, *(submission("ab"[n % 2]) for n in range(6)))
        for id, second in ((3, 1), (2, 1), (1, 2.5)):
            save(storage, task(storage, id).cancel(at(second)))
        fail(storage, claim_one(storage, wanted={"a": 1}), at(3))
        return storage

    def test_tasks_come_in_the_order_of_their_ends_then_of_their_ids(self, ended: Storage):
        assert by_end(ended, range(1, 10)) == [2, 3, 1, 5]
        assert by_end(ended, range(2, 5)) == [2, 3]
        assert by_end(ended, range(0)) == []

    def test_a_page_by_end_goes_on_behind_the_last_task_of_another(self, ended: Storage):
        assert by_end(ended, range(10), limit=2) == [2, 3]
        assert by_end(ended, range(10), End(at(1), TaskId(2)), limit=2) == [3, 1]
        assert by_end(ended, range(10), End(at(2.5), TaskId(1))) == [5]
        assert by_end(ended, range(10), End(at(3), TaskId(5))) == []

    def test_a_search_by_end_combines_with_the_other_filters(self, ended: Storage):
        assert by_end(ended, range(10), type=A) == [3, 1, 5]
        assert by_end(ended, range(10), finished_after=at(2.5)) == [1, 5]
        assert by_end(ended, range(10), finished_before=at(3), limit=2) == [2, 3]
        assert by_end(ended, range(10), statuses=only(Status.FAILED, Status.DONE)) == [5]
        assert by_end(ended, range(10), statuses=only(Status.WAITING)) == []
        assert by_end(ended, range(10), error="boom", limit=1) == [5]
        assert by_end(ended, range(10), created_before=at(0)) == []

    def test_a_task_that_is_retried_has_no_end(self, ended: Storage):
        save(ended, task(ended, 2).retry(at(9), 1))
        assert by_end(ended, range(10)) == [3, 1, 5]


class TestTexts:
    @pytest.fixture
    def done(self, storage: Storage) -> Storage:
        """Tasks from 1 to 3 with arguments of 10 bytes and results of 5."""
        add(storage, *[submission(args='{"a":"ü"}')] * 3)
        for each in claim(storage):
            succeed(storage, each.task, result="12345")
        add_one(storage, args='{"last":1}')
        return storage

    def texts(
        self, storage: Storage, ids: list[int], *parts: Part, max_bytes: int = 1000, max_each: int | None = None
    ) -> dict[int, Texts]:
        with storage.begin() as work:
            found = work.listing.texts([TaskId(id) for id in ids], frozenset(parts), max_bytes, max_each)
        return {int(id): texts for id, texts in found.items()}

    def test_the_wanted_texts_are_read(self, done: Storage):
        assert self.texts(done, [3, 4, 99], Part.ARGS, Part.RESULT) == {
            3: Texts('{"a":"ü"}', "12345"),
            4: Texts('{"last":1}', None),
        }
        assert self.texts(done, [3, 4], Part.RESULT) == {3: Texts(None, "12345"), 4: Texts(None, None)}
        assert self.texts(done, [1], Part.ARGS) == {1: Texts('{"a":"ü"}', None)}
        assert self.texts(done, [], Part.ARGS) == {}

    def test_the_first_texts_that_have_no_more_bytes_together_are_read(self, done: Storage):
        assert [*self.texts(done, [3, 1, 2], Part.RESULT, max_bytes=10)] == [3, 1]
        assert [*self.texts(done, [3, 1, 2], Part.RESULT, max_bytes=9)] == [3]
        assert [*self.texts(done, [1, 3, 2], Part.ARGS, Part.RESULT, max_bytes=30)] == [1, 3]
        assert [*self.texts(done, [1, 3, 2], Part.ARGS, Part.RESULT, max_bytes=29)] == [1]

    def test_the_first_text_is_read_however_large_it_is(self, done: Storage):
        assert [*self.texts(done, [99, 2, 1], Part.RESULT, max_bytes=1)] == [2]

    def test_texts_that_are_too_large_each_are_left_out_and_take_no_room(self, done: Storage):
        succeed(done, claim_one(done), result="1" * 100)
        wanted = (Part.ARGS, Part.RESULT)
        assert [*self.texts(done, [4, 3, 2], *wanted, max_bytes=30, max_each=15)] == [3, 2]
        assert self.texts(done, [3, 2], *wanted, max_each=14) == {}
        assert [*self.texts(done, [4, 3], Part.ARGS, max_each=15)] == [4, 3]


class TestFailureGroups:
    def test_failures_of_a_type_that_differ_in_numbers_are_one_group(self, storage: Storage):
        fail_with(storage, "a", "row 1 of 0x1f is gone", second=1)
        fail_with(storage, "a", "row 234 of 0xABC is gone", second=3)
        fail_with(storage, "a", "row 5 of 0x0 is gone", second=2)
        fail_with(storage, "b", "row 1 of 0x1f is gone", second=4)
        fail_with(storage, "b", "row 1 of 0x1f is lost", second=5)
        assert sorted(groups(storage)) == [("a", 3, 1, 3), ("b", 1, 4, 4), ("b", 1, 5, 5)]
        assert groups(storage, limit=1) == [("a", 3, 1, 3)]

    def test_the_largest_groups_come_first_then_those_with_the_newest_tasks(self, storage: Storage):
        for second, type in enumerate(("a", "b", "c", "c"), start=1):
            fail_with(storage, type, "boom", second=second)
        assert groups(storage) == [("c", 2, 3, 4), ("b", 1, 2, 2), ("a", 1, 1, 1)]
        assert groups(storage, limit=2) == [("c", 2, 3, 4), ("b", 1, 2, 2)]

    def test_a_group_shows_its_newest_error_and_lists_its_tasks(self, storage: Storage):
        for n in range(3):
            fail_with(storage, "a", f"row {n}")
        fail_with(storage, "a", "boom")
        with storage.begin() as work:
            group = next(each for each in work.listing.failure_groups(10) if each.count == 3)
        assert group.error == Error("ValueError", "row 2", 1)
        assert page(storage, failure_group=group.number) == [3, 2, 1]
        assert page(storage, failure_group=group.number, type=B) == []
        assert page(storage, failure_group=group.number, error="row 1") == [2]
        assert page(storage, failure_group=group.number + 1) == []

    def test_a_task_that_is_retried_or_deleted_leaves_its_group(self, storage: Storage):
        for second in range(3):
            fail_with(storage, "a", "boom", second=second)
        save(storage, task(storage, 1).retry(at(9), 1))
        with storage.begin() as work:
            work.tasks.remove(TaskId(2))
            work.commit()
        assert groups(storage) == [("a", 1, 2, 2)]
        fail(storage, claim_one(storage, wanted={"a": 1}, now=at(9)), at(9), Failure("KeyError", "boom"))
        assert sorted(groups(storage)) == [("a", 1, 2, 2), ("a", 1, 9, 9)]

    def test_texts_in_other_scripts_are_told_apart(self, storage: Storage):
        for message in ("сбой", "отказ", "失敗", "失败"):
            fail_with(storage, "a", message)
        assert len(groups(storage)) == 4


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

    @pytest.mark.parametrize(("limit", "is_complete"), [(5, True), (4, False)])
    def test_tasks_with_some_terms_are_counted_among_the_newest(self, storage: Storage, limit: int, is_complete: bool):
        terms = ((1, 2), (1, 2), (1, 3), (2,), (1, 2), (2,))
        add(storage, *(submission("ab"[n % 2], terms=each) for n, each in enumerate(terms)))
        save(storage, task(storage, 5).cancel(at(1)))
        with storage.begin() as work:
            found = work.listing.counts_of(frozenset({1, 2}), limit)
            none = work.listing.counts_of(frozenset({1, 9}), limit)
        whole = {A: {Status.WAITING: 1, Status.CANCELLED: 1}, B: {Status.WAITING: 1}}
        assert (found.is_complete, none.counts, none.is_complete) == (is_complete, {}, True)
        assert found.counts == whole

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


class TestOfBatch:
    @pytest.fixture(autouse=True)
    def of_batch(self, storage: Storage) -> None:
        """Tasks from 1 to 6, those with odd ids of the batch 1: failed, -, done, -, cancelled, -; 7 waits in it."""
        with storage.begin() as work:
            work.batches.add(NewBatch(now=NOW, ttl=600))
            work.commit()
        add(storage, *(submission("ab"[n // 3], batch=None if n % 2 else 1, terms=(n % 3,)) for n in range(6)))
        claimed = {int(each.task.id): each.task for each in claim(storage, wanted={"a": 10, "b": 10})}
        fail(storage, claimed[1], at(5))
        succeed(storage, claimed[3], at(4))
        save(storage, task(storage, 5).cancel(at(6)))
        add(storage, submission("b", batch=1))

    def test_the_tasks_of_a_batch_are_listed(self, storage: Storage):
        assert page(storage, batch=1) == [7, 5, 3, 1]
        assert (page(storage, batch=1, limit=2), page(storage, before=5, batch=1)) == ([7, 5], [3, 1])
        assert page(storage, batch=9) == []

    @pytest.mark.parametrize(
        ("filter", "found"),
        [
            ({"statuses": only(Status.DONE, Status.WAITING)}, [7, 3]),
            ({"type": B}, [7, 5]),
            ({"terms": frozenset({1})}, [5]),
            ({"error": "boom"}, [1]),
            ({"error": "bang"}, []),
            ({"ids": frozenset({1, 2, 7})}, [7, 1]),
            ({"finished_after": at(5)}, [5, 1]),
            ({"created_before": NOW}, []),
        ],
    )
    def test_the_tasks_of_a_batch_are_filtered(self, storage: Storage, filter: dict[str, Any], found: list[int]):
        assert page(storage, batch=1, **filter) == found

    def test_a_failure_group_of_a_batch_is_listed(self, storage: Storage):
        with storage.begin() as work:
            (group,) = work.listing.failure_groups(10)
        assert page(storage, batch=1, failure_group=group.number) == [1]
        assert page(storage, batch=1, failure_group=group.number + 1) == []

    def test_the_tasks_of_a_batch_are_listed_by_their_ends(self, storage: Storage):
        filter = Filter(batch=BatchId(1))
        with storage.begin() as work:
            first = work.listing.search_by_end(filter, None, 2)
            rest = work.listing.search_by_end(filter, End.of(first[-1]), 2)
            failed = work.listing.search_by_end(Filter(batch=BatchId(1), statuses=only(Status.FAILED)), None, 2)
            failures = work.listing.first_failures(BatchId(1), 2)
            none = work.listing.first_failures(BatchId(2), 2)
        assert [[each.id for each in some] for some in (first, rest, failed)] == [[3, 1], [5], [1]]
        assert ([each.id for each in failures], none) == ([1], [])
