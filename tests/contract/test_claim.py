"""The claim: which tasks it takes, in which order, and how they stand afterwards."""

from dataclasses import replace
from typing import Any

import pytest

from application.ports.queue import ClaimRequest
from domain.failure import NO_ATTEMPT_LEFT
from domain.ids import HandlerId
from domain.lease import Lease
from tests.steps import ADD, HANDLER, NOW, add, add_one, at, claim, claim_one, ids, rescue, save, submission, task
from tests.storage import Storage


class TestTransition:
    def test_a_claimed_task_runs_under_the_lease_of_its_handler(self, storage: Storage):
        waiting = add_one(storage, args='{"a":1}')
        (claimed,) = claim(storage)
        assert claimed.task == waiting.claim(Lease(HandlerId("handler-1"), at(30)), NOW)
        assert claimed.args == '{"a":1}'
        assert task(storage, 1) == claimed.task

    def test_each_claimed_task_is_returned_with_its_own_arguments_as_it_is_stored(self, storage: Storage):
        for nth in range(4):
            add_one(storage, args=f'{{"n":{nth}}}', priority=nth)
        lease = Lease.granted(HANDLER, NOW, 30)
        claimed = storage.autocommit.claim(lease, NOW, ClaimRequest({ADD: 3}, 100, 10**9, starting=1))
        assert [each.args for each in claimed] == ['{"n":3}', '{"n":2}', '{"n":1}']
        assert [each.task for each in claimed] == [task(storage, id) for id in (4, 3, 2)]
        assert {each.task.lease for each in claimed} == {lease}

    def test_a_task_is_claimed_once(self, storage: Storage):
        add_one(storage)
        assert ids(claim(storage)) == [1]
        assert ids(claim(storage)) == []

    def test_a_claim_from_an_empty_queue_returns_nothing(self, storage: Storage):
        assert ids(claim(storage)) == []

    def test_the_first_tasks_are_on_record_as_started_and_the_others_are_not(self, storage: Storage):
        add(storage, *[submission(priority=-nth) for nth in range(3)])
        claimed = claim(storage, now=at(5), starting=2)
        assert [each.task.started for each in claimed] == [at(5), at(5), None]
        assert [task(storage, id).started for id in (1, 2, 3)] == [at(5), at(5), None]

    def test_no_task_is_on_record_as_started_where_none_starts_at_once(self, storage: Storage):
        add(storage, submission(), submission())
        assert [each.task.started for each in claim(storage, starting=0)] == [None, None]

    def test_every_claim_of_a_task_has_a_higher_number(self, storage: Storage):
        add_one(storage, max_attempts=9, max_losses=9)
        numbers = []
        for seconds in range(0, 400, 100):
            running = claim_one(storage, now=at(seconds))
            numbers.append(running.claims)
            rescue(storage, at(seconds + 31))
        assert numbers == [1, 2, 3, 4]


class TestDueTasks:
    def test_a_task_is_left_until_it_is_due(self, storage: Storage):
        add(storage, submission(run_at=at(10)), submission())
        assert ids(claim(storage)) == [2]
        assert ids(claim(storage, now=at(9.999))) == []
        assert ids(claim(storage, now=at(10))) == [1]

    def test_a_task_that_waits_for_longer_than_any_lease_is_claimed_once(self, storage: Storage):
        add_one(storage, run_at=at(86_400), ttl=100_000)
        for hour in range(24):
            assert ids(claim(storage, now=at(3600 * hour))) == []
            assert list(rescue(storage, at(3600 * hour))) == []
        assert [ids(claim(storage, now=at(86_400))) for _ in range(2)] == [[1], []]
        assert (task(storage, 1).attempt, task(storage, 1).losses) == (1, 0)

    def test_a_task_that_is_not_due_does_not_hide_a_lower_priority(self, storage: Storage):
        add(storage, submission(priority=9, run_at=at(60)), submission(priority=0))
        assert ids(claim(storage)) == [2]


class TestOrder:
    def test_a_higher_priority_comes_first(self, storage: Storage):
        add(storage, *(submission(priority=priority) for priority in (0, -100, 100, 5)))
        assert ids(claim(storage)) == [3, 4, 1, 2]

    def test_a_higher_priority_comes_first_across_types(self, storage: Storage):
        add(storage, *(submission(type, priority=priority) for priority in (-1, 7, 2) for type in ("a", "b")))
        assert ids(claim(storage, wanted={"b": 9, "a": 9})) == [4, 3, 6, 5, 2, 1]

    def test_a_limit_leaves_the_lower_priorities(self, storage: Storage):
        add(storage, *(submission("ab"[nth % 2], priority=nth) for nth in range(6)))
        assert [ids(claim(storage, 2, wanted={"a": 9, "b": 9})) for _ in range(3)] == [[6, 5], [4, 3], [2, 1]]

    def test_tasks_of_one_type_and_priority_come_by_run_at_then_id(self, storage: Storage):
        add(storage, submission(run_at=at(-1)), submission(run_at=at(-3)), submission(run_at=at(-1)))
        assert ids(claim(storage)) == [2, 1, 3]

    def test_types_of_one_priority_take_turns(self, storage: Storage):
        add(storage, *[submission("a")] * 4, *[submission("b")] * 2)
        assert ids(claim(storage, 5, wanted={"b": 9, "a": 9})) == [5, 1, 6, 2, 3]

    def test_types_take_turns_whatever_the_run_at_of_their_tasks(self, storage: Storage):
        add(storage, *[submission("a", run_at=at(-9))] * 3, *[submission("b")] * 3, *[submission("c", run_at=at(-5))])
        assert ids(claim(storage, 6, wanted={"c": 9, "a": 9, "b": 9})) == [7, 1, 4, 2, 5, 3]

    def test_turns_do_not_outrank_priority(self, storage: Storage):
        add(storage, submission("a", priority=1), submission("a", priority=1), submission("b"))
        assert ids(claim(storage, 2, wanted={"b": 9, "a": 9})) == [1, 2]


class TestBounds:
    def test_no_more_tasks_are_claimed_than_the_limit(self, storage: Storage):
        add(storage, *[submission()] * 5)
        assert ids(claim(storage, 3)) == [1, 2, 3]
        assert ids(claim(storage, 1)) == [4]
        assert ids(claim(storage, 3)) == [5]

    def test_no_more_tasks_of_a_type_are_claimed_than_requested(self, storage: Storage):
        add(storage, *[submission("a")] * 3, *[submission("b")] * 3)
        assert ids(claim(storage, wanted={"a": 1, "b": 2})) == [1, 4, 5]

    def test_a_type_that_is_requested_zero_times_is_left(self, storage: Storage):
        add(storage, submission("a"), submission("b"))
        assert ids(claim(storage, wanted={"a": 0, "b": 5})) == [2]

    def test_types_that_are_not_requested_are_left(self, storage: Storage):
        add(storage, submission("other"), submission("add"))
        assert ids(claim(storage, wanted={"add": 5})) == [2]

    def test_the_bound_of_a_type_counts_over_its_priorities(self, storage: Storage):
        add(storage, submission("a"), submission("a", priority=5), submission("a", priority=9), submission("b"))
        assert ids(claim(storage, wanted={"a": 2, "b": 2})) == [3, 2, 4]


class TestBytes:
    def test_a_claim_is_bounded_by_the_bytes_of_the_arguments(self, storage: Storage):
        add(storage, *[submission(args='{"a":"ééé"}')] * 4)
        size = len('{"a":"ééé"}'.encode())
        assert ids(claim(storage, max_bytes=2 * size)) == [1, 2]
        assert ids(claim(storage, max_bytes=2 * size - 1)) == [3]

    def test_a_task_larger_than_the_bound_is_claimed_alone(self, storage: Storage):
        add(storage, submission(args='{"a":"' + "x" * 100 + '"}'), submission())
        assert ids(claim(storage, max_bytes=10)) == [1]

    def test_bytes_are_counted_in_the_order_of_claiming(self, storage: Storage):
        large, small = '{"a":"' + "x" * 92 + '"}', "{}"
        add(storage, submission("a", large), submission("b", small), submission("b", large, priority=1))
        assert ids(claim(storage, wanted={"b": 9, "a": 9}, max_bytes=110)) == [3, 2]

    def test_a_claim_ends_at_the_first_task_that_exceeds_the_bytes(self, storage: Storage):
        large, small = '{"a":"' + "x" * 92 + '"}', "{}"
        add(storage, submission(args=small), submission(args=large), submission(args=small))
        assert ids(claim(storage, max_bytes=50)) == [1]


class TestSlowTypes:
    def test_no_more_tasks_of_slow_types_are_claimed_than_there_is_room_for(self, storage: Storage):
        add(storage, *[submission("a")] * 3, *[submission("b")] * 3, *[submission("quick")] * 3)
        how: dict[str, Any] = {"wanted": {"a": 2, "quick": 9, "b": 2}, "slow": {"a", "b"}, "max_slow": 2}
        assert ids(claim(storage, **how)) == [1, 7, 4, 8, 9]
        assert ids(claim(storage, **how | {"max_slow": 0})) == []
        assert ids(claim(storage, **how | {"max_slow": 3})) == [2, 5, 3]

    def test_slow_tasks_of_a_higher_priority_come_first(self, storage: Storage):
        add(storage, submission("a"), submission("a", priority=1), submission("b", priority=2))
        assert ids(claim(storage, wanted={"a": 2, "b": 2}, slow={"a", "b"}, max_slow=2)) == [3, 2]

    def test_slow_tasks_count_for_the_limit_too(self, storage: Storage):
        add(storage, *[submission("slow")] * 3, *[submission("quick")] * 3)
        assert ids(claim(storage, 3, wanted={"slow": 9, "quick": 9}, slow={"slow"}, max_slow=2)) == [1, 4, 2]

    def test_slow_tasks_that_are_left_make_room_for_quick_ones(self, storage: Storage):
        add(storage, *[submission("slow", priority=5)] * 9, *[submission("quick")] * 3)
        assert ids(claim(storage, 3, wanted={"slow": 9, "quick": 9}, slow={"slow"}, max_slow=1)) == [1, 10, 11]

    def test_slow_tasks_are_bounded_behind_cursors_too(self, storage: Storage):
        add(storage, *[submission("slow")] * 4, *[submission("quick")] * 2)
        how: dict[str, Any] = {"wanted": {"slow": 9, "quick": 9}, "slow": {"slow"}, "max_slow": 1}
        assert ids(claim(storage, **how, cursors={("slow", 0): (NOW, 2), ("quick", 0): (NOW, 5)})) == [3, 6]


class TestCursors:
    def test_only_tasks_behind_the_cursor_of_their_type_and_priority_are_claimed(self, storage: Storage):
        add(storage, submission(run_at=at(-1)), submission(run_at=at(-3)), *[submission(run_at=at(-2))] * 3)
        assert ids(claim(storage, cursors={("add", 0): (at(-2), 4)})) == [5, 1]
        assert ids(claim(storage, cursors={("add", 0): (at(-2), 4)})) == []
        assert ids(claim(storage)) == [2, 3, 4]

    def test_a_cursor_holds_for_its_type_and_priority_alone(self, storage: Storage):
        add(storage, *(submission(type, priority=nth) for type in ("a", "b") for nth in (9, 5, 1, -2)))
        cursors = {("a", 5): (NOW, 10**9), ("b", 7): (NOW, 10**9), ("b", 1): (at(-1), 0), ("c", 1): (NOW, 10**9)}
        assert ids(claim(storage, wanted={"a": 9, "b": 9}, cursors=cursors)) == [1, 5, 6, 3, 7, 4, 8]

    def test_the_limit_and_the_turns_count_behind_the_cursors(self, storage: Storage):
        add(storage, *[submission("a")] * 4, *[submission("b")] * 4)
        cursors = {("a", 0): (NOW, 2), ("b", 0): (NOW, 7)}
        assert ids(claim(storage, 2, wanted={"a": 9, "b": 9}, cursors=cursors)) == [3, 8]
        assert ids(claim(storage, 2, wanted={"a": 1, "b": 1}, cursors=cursors)) == [4]

    @pytest.mark.parametrize("ahead", [0, 1])
    def test_a_task_that_is_not_due_is_left_behind_a_cursor_too(self, storage: Storage, ahead: int):
        add(storage, submission(run_at=at(10)), submission(run_at=at(20)))
        assert ids(claim(storage, now=at(10 - ahead), cursors={("add", 0): (at(5), 0)})) == [1][ahead:]


class TestTasksThatCannotBeClaimed:
    def test_a_task_without_an_attempt_left_fails_and_its_neighbours_are_claimed(self, storage: Storage):
        add(storage, *[submission()] * 3)
        waiting = task(storage, 2)
        odd = replace(waiting, max_attempts=0)
        save(storage, odd)
        assert ids(claim(storage, starting=1)) == [1, 3]
        assert task(storage, 2) == odd.set_aside(NOW, NO_ATTEMPT_LEFT)
        assert [task(storage, id).started for id in (1, 3)] == [NOW, None]

    def test_a_task_that_was_set_aside_may_be_retried(self, storage: Storage):
        save(storage, replace(add_one(storage), max_attempts=0))
        claim(storage)
        save(storage, task(storage, 1).retry(NOW, 1))
        assert claim_one(storage).attempt == 1
