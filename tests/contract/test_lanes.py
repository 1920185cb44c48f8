"""Lanes: tasks of a type with lanes are claimed by turns of their lanes."""

from collections.abc import Sequence
from typing import Any

import pytest

from application.ports.limits import Bound
from domain.ids import NO_LANE, Lane
from domain.waiting import WaitingFor
from tests.limiting import REPORT, claim_limited, known, override, publish
from tests.steps import ADD, NOW, add, add_one, at, claim, fail, ids, submission, succeed, task
from tests.storage import Storage

A, B, C = (Lane(f'"{name}"') for name in "abc")


def add_in(storage: Storage, *lanes: Lane | None, **how: Any) -> None:
    add(storage, *(submission(lane=lane, **how) for lane in lanes))


def claimed(storage: Storage, limit: int = 100, **how: Any) -> list[int]:
    return ids(claim_limited(storage, limit, **how).claimed)


class TestTurns:
    def test_lanes_take_turns_within_a_claim(self, storage: Storage):
        publish(storage, lane="user")
        add_in(storage, A, A, A, B, C, C)
        assert claimed(storage) == [1, 4, 5, 2, 6, 3]

    def test_lanes_take_turns_across_claims(self, storage: Storage):
        publish(storage, lane="user")
        add_in(storage, A, A, A, B, B, C)
        assert [claimed(storage, 1) for _ in range(6)] == [[1], [4], [6], [2], [5], [3]]

    def test_a_lane_with_one_task_waits_for_no_more_starts_than_there_are_lanes(self, storage: Storage):
        publish(storage, lane="user", at_once=1)
        add_in(storage, *[A] * 30, *[B] * 30)
        order = []
        for nth in range(8):
            running = claim_limited(storage).claimed[0].task
            order.append(running.lane)
            succeed(storage, running)
            if nth == 3:
                add_in(storage, C)
        assert order.index(C) - 3 <= 3

    def test_in_a_lane_run_at_orders_the_tasks_and_then_id(self, storage: Storage):
        publish(storage, lane="user")
        add_in(storage, A, A)
        add_in(storage, A, run_at=at(-5))
        assert claimed(storage) == [3, 1, 2]

    def test_a_higher_priority_comes_first_and_has_turns_of_its_own(self, storage: Storage):
        publish(storage, lane="user")
        add_in(storage, A, B, C)
        add_in(storage, A, A, priority=5)
        assert [claimed(storage, 1) for _ in range(5)] == [[4], [5], [1], [2], [3]]

    def test_a_task_of_high_priority_now_and_then_passes_over_no_lane_of_a_lower_one(self, storage: Storage):
        publish(storage, lane="user")
        add_in(storage, A, B, C)
        order: list[int] = []
        for _ in range(3):
            add_in(storage, A, priority=5)
            order += [*claimed(storage, 1), *claimed(storage, 1)]
        assert [id for id in order if id <= 3] == [1, 2, 3]

    def test_a_lane_whose_tasks_are_not_due_is_passed_over(self, storage: Storage):
        publish(storage, lane="user")
        add_in(storage, A, run_at=at(60))
        add_in(storage, B, B)
        assert claimed(storage) == [2, 3]
        assert claimed(storage, seconds=60) == [1]

    def test_lanes_are_ordered_by_their_bytes(self, storage: Storage):
        publish(storage, lane="user")
        add_in(storage, *(Lane(name) for name in ("é", "a", "Z", "z", "", "\N{PILE OF POO}", "\uffee")))
        assert claimed(storage) == [5, 3, 2, 4, 1, 7, 6]

    def test_a_claim_takes_no_more_bytes_than_requested(self, storage: Storage):
        publish(storage, lane="user")
        for lane in (A, B, C):
            add_one(storage, args='{"n":1}', lane=lane)
        assert claimed(storage, max_bytes=15) == [1, 2]
        assert claimed(storage, max_bytes=1) == [3]

    @pytest.mark.parametrize("types", [[ADD, REPORT], [REPORT, ADD]])
    def test_types_with_lanes_and_others_share_a_request(self, storage: Storage, types: Sequence[str]):
        publish(storage, ADD, "one", lane="user", at_once=2)
        publish(storage, REPORT, "two", at_once=2)
        add_in(storage, A, A, B)
        add(storage, *[submission(REPORT)] * 3)
        assert claimed(storage, 3, types=types) == ([1, 3, 4] if types[0] == ADD else [4, 5, 1])

    def test_types_with_lanes_share_the_bytes_of_a_request(self, storage: Storage):
        publish(storage, ADD, "one", lane="user")
        publish(storage, REPORT, "two", lane="user")
        for type in (ADD, REPORT):
            add_one(storage, type, '{"n":1}', lane=A)
        assert claimed(storage, types=[ADD, REPORT], max_bytes=7) == [1]
        assert claimed(storage, types=[ADD, REPORT], max_bytes=7) == [2]


class TestAtOncePerLane:
    def test_no_more_tasks_of_a_lane_run_than_the_limit(self, storage: Storage):
        publish(storage, lane="user", at_once_per_lane=1)
        add_in(storage, A, A, B, B)
        assert claimed(storage) == [1, 3]
        found = claim_limited(storage)
        assert (ids(found.claimed), found.bounds[ADD].by) == ([], Bound.LANES)

    def test_a_task_that_has_ended_leaves_its_place_to_its_lane(self, storage: Storage):
        publish(storage, lane="user", at_once_per_lane=1)
        add_in(storage, A, A, B, B)
        running = claim_limited(storage).claimed[0].task
        fail(storage, running)
        assert claimed(storage) == [2]

    def test_a_full_lane_does_not_hold_up_the_others(self, storage: Storage):
        publish(storage, lane="user", at_once=3, at_once_per_lane=2)
        add_in(storage, *[A] * 9)
        assert claimed(storage) == [1, 2]
        add_in(storage, B)
        assert claimed(storage) == [10]

    def test_a_lane_has_its_places_in_all_priorities_together(self, storage: Storage):
        publish(storage, lane="user", at_once_per_lane=2)
        add_in(storage, A, A, priority=5)
        add_in(storage, A, B)
        assert claimed(storage) == [1, 2, 4]

    def test_the_limit_of_the_type_holds_too(self, storage: Storage):
        publish(storage, lane="user", at_once=2, at_once_per_lane=1)
        add_in(storage, A, B, C)
        assert claimed(storage) == [1, 2]

    def test_it_can_be_set_by_an_operator(self, storage: Storage):
        publish(storage, lane="user", at_once_per_lane=1)
        override(storage, at_once_per_lane=2)
        add_in(storage, A, A, A)
        assert claimed(storage) == [1, 2]

    def test_a_task_waits_for_the_limit_of_its_lane(self, storage: Storage):
        publish(storage, lane="user", at_once_per_lane=1)
        add_in(storage, A, A, B)
        claimed(storage, 1)
        limits = known(storage).limits
        assert limits.held_back_by(NOW, A) is WaitingFor.LIMIT
        assert limits.held_back_by(NOW, B) is None
        assert limits.running == 1


class TestWithoutALane:
    def test_a_task_keeps_its_lane(self, storage: Storage):
        add_in(storage, A, NO_LANE, None)
        assert [task(storage, id).lane for id in (1, 2, 3)] == [A, NO_LANE, None]

    def test_tasks_without_the_argument_are_a_lane(self, storage: Storage):
        publish(storage, lane="user", at_once_per_lane=1)
        add_in(storage, NO_LANE, NO_LANE, A)
        assert claimed(storage) == [1, 3]

    def test_tasks_that_were_submitted_before_there_were_lanes_are_assigned_to_that_lane(self, storage: Storage):
        add_in(storage, None, None, None)
        publish(storage, lane="user")
        assert claimed(storage) == []
        for number in (2, 1, 0):
            with storage.begin() as work:
                assert work.limits.assign_lanes(2) == number
                work.commit()
        assert claimed(storage) == [1, 2, 3]

    def test_no_lane_is_assigned_to_tasks_of_types_without_lanes(self, storage: Storage):
        publish(storage, at_once=1)
        add_in(storage, None)
        with storage.begin() as work:
            assert work.limits.assign_lanes(9) == 0

    def test_a_type_that_has_lanes_no_more_is_claimed_like_the_others(self, storage: Storage):
        publish(storage, lane="user")
        add_in(storage, A, A, B)
        publish(storage)
        assert ids(claim(storage)) == [1, 2, 3]
