"""How many tasks a supervisor claims ahead."""

from dataclasses import replace

import pytest

from application.ports.queue import ClaimedRecord, Cursor
from application.supervisor.claimed_tasks import ClaimedTask, ClaimedTasks
from application.supervisor.prefetch import MAX_CLAIM_BYTES, MAX_PREFETCHED_TASKS, PREFETCH_SECONDS, Prefetch
from domain.ids import HandlerId, TaskId, TypeName
from domain.lease import Lease
from tests.steps import NOW, submission

QUICK, SLOW, NEW = TypeName("quick"), TypeName("slow"), TypeName("new")


@pytest.fixture
def prefetch() -> Prefetch:
    prefetch = Prefetch()
    prefetch.set_types([QUICK, SLOW, NEW])
    prefetch.record_duration(QUICK, 0.001)
    prefetch.record_duration(SLOW, 5.0)
    return prefetch


def claimed_tasks(*, queued: str = "", running: str = "", started: float | None = None) -> ClaimedTasks:
    """Tasks by the first letters of their types, claimed at the time 0."""
    tasks = ClaimedTasks()
    for nth, letter in enumerate(running + queued):
        type = next(type for type in (QUICK, SLOW, NEW) if type.startswith(letter))
        task = submission(type).registered(TaskId(nth + 1)).claim(Lease.granted(HandlerId("h"), NOW, 30))
        tasks.add([ClaimedTask.of(ClaimedRecord(task, "{}"), at=0)])
        if nth < len(running):
            hold = tasks.dispatch_first().hold
            if started is not None:
                tasks.start(hold, started)
    return tasks


def claimed(*types: TypeName) -> list[ClaimedRecord]:
    """Tasks of these types, as a claim brings them."""
    tasks = [submission(type).registered(TaskId(nth)) for nth, type in enumerate(types, 1)]
    return [ClaimedRecord(task.claim(Lease.granted(HandlerId("h"), NOW, 30)), "{}") for task in tasks]


def test_slow_and_unknown_types_are_claimed_once_for_each_slot(prefetch: Prefetch):
    request = prefetch.claim_request(2, 2, ClaimedTasks(), now=0)
    assert (request.most[SLOW], request.most[NEW]) == (2, 2)
    assert (request.slow, request.max_slow) == (frozenset({SLOW, NEW}), 2)


def test_quick_types_are_claimed_for_the_prefetch_seconds_of_each_slot(prefetch: Prefetch):
    assert prefetch.claim_request(2, 2, ClaimedTasks(), now=0).most[QUICK] == pytest.approx(
        2 * PREFETCH_SECONDS / 0.001, abs=1
    )


def test_prefetched_tasks_are_bounded_and_refilled_when_half_have_started(prefetch: Prefetch):
    prefetch.record_duration(NEW, 1e-5)
    for _ in range(50):
        prefetch.record_duration(QUICK, 1e-5)

    def most(prefetched: int) -> int:
        return prefetch.claim_request(2, 2, claimed_tasks(queued="q" * prefetched), now=0).most.get(QUICK, 0)

    assert most(MAX_PREFETCHED_TASKS) == most(MAX_PREFETCHED_TASKS // 2 + 1) == 0
    assert most(MAX_PREFETCHED_TASKS // 2) == MAX_PREFETCHED_TASKS - MAX_PREFETCHED_TASKS // 2
    assert most(10) == MAX_PREFETCHED_TASKS - 10


def test_quick_types_that_have_tasks_share_the_time(prefetch: Prefetch):
    alone = prefetch.claim_request(2, 2, ClaimedTasks(), now=0).most[QUICK]
    prefetch.record_duration(NEW, 0.001)
    shared = prefetch.claim_request(2, 2, ClaimedTasks(), now=0).most
    assert shared[QUICK] == shared[NEW] == pytest.approx(alone / 2, abs=1)
    prefetch.record_claim_answer(claimed(QUICK), prefetch.claim_request(2, 2, ClaimedTasks(), now=0))
    assert prefetch.claim_request(2, 2, ClaimedTasks(), now=0).most[QUICK] == alone
    prefetch.record_claim_answer([], prefetch.claim_request(2, 2, ClaimedTasks(), now=0))
    assert prefetch.claim_request(2, 2, ClaimedTasks(), now=0).most == shared, "all are empty, and any may come next"


def test_as_many_tasks_start_at_once_as_slots_are_free(prefetch: Prefetch):
    assert prefetch.claim_request(2, 2, ClaimedTasks(), now=0).starting == 2
    assert prefetch.claim_request(256, 2, ClaimedTasks(), now=0).starting == 2
    assert prefetch.claim_request(2, 2, claimed_tasks(queued="q"), now=0).starting == 1
    assert prefetch.claim_request(1, 2, claimed_tasks(queued="qqq", running="s", started=0), now=0).starting == 0


def test_nothing_is_claimed_while_every_slot_runs_a_slow_task(prefetch: Prefetch):
    assert prefetch.claim_request(0, 2, claimed_tasks(running="ss", started=0), now=0.01).most == {}


def test_a_slot_with_a_quick_task_counts_as_free(prefetch: Prefetch):
    request = prefetch.claim_request(0, 2, claimed_tasks(running="qs", started=0), now=0.01)
    assert request.most[QUICK] == pytest.approx(PREFETCH_SECONDS / 0.001, abs=1)
    assert request.max_slow == 1


def test_a_slot_with_many_quick_tasks_is_one_slot(prefetch: Prefetch):
    request = prefetch.claim_request(100, 3, claimed_tasks(running="ss" + "q" * 50, started=0), now=0.01)
    assert request.max_slow == 1


def test_a_long_run_of_a_quick_type_occupies_its_slot(prefetch: Prefetch):
    assert prefetch.claim_request(0, 1, claimed_tasks(running="q", started=0), now=2 * PREFETCH_SECONDS).most == {}


def test_queued_tasks_reduce_the_request(prefetch: Prefetch):
    assert prefetch.claim_request(2, 2, claimed_tasks(queued="ss"), now=0).most == {}
    before = prefetch.claim_request(2, 2, ClaimedTasks(), now=0).most[QUICK]
    after = prefetch.claim_request(2, 2, claimed_tasks(queued="q" * 20), now=0).most[QUICK]
    assert after == pytest.approx(before - 20, abs=1)


def test_a_type_whose_share_is_less_than_one_run_gets_one_in_turns(prefetch: Prefetch):
    others = [TypeName(f"other {n}") for n in range(9)]
    prefetch.set_types([QUICK, *others])
    for type in others:
        prefetch.record_duration(type, 0.06)
    half = claimed_tasks(queued="q" * 100)
    most = prefetch.claim_request(2, 2, half, now=0).most
    assert most == {QUICK: 10, others[0]: 1, others[1]: 1}, "one each while time is left"
    prefetch.record_claim_answer(claimed(*others[:2]), prefetch.claim_request(2, 2, half, now=0))
    assert [*prefetch.claim_request(2, 2, half, now=0).most][:2] == [QUICK, others[2]], "in turns"


def test_prefetched_time_is_refilled_when_half_of_it_has_started(prefetch: Prefetch):
    whole = prefetch.claim_request(2, 2, ClaimedTasks(), now=0).most[QUICK]
    assert QUICK not in prefetch.claim_request(2, 2, claimed_tasks(queued="q" * (whole // 2 + 1)), now=0).most
    half = prefetch.claim_request(2, 2, claimed_tasks(queued="q" * (whole // 2)), now=0).most[QUICK]
    assert half == pytest.approx(whole / 2, abs=1)


def test_slots_that_take_many_runs_do_not_change_the_request(prefetch: Prefetch):
    assert prefetch.claim_request(256, 2, ClaimedTasks(), now=0) == prefetch.claim_request(2, 2, ClaimedTasks(), now=0)


def test_no_claim_is_larger_than_the_limit(prefetch: Prefetch):
    prefetch.record_duration(NEW, 0)
    assert prefetch.claim_request(2, 2, ClaimedTasks(), now=0).most[NEW] == MAX_PREFETCHED_TASKS


def test_types_that_had_a_turn_come_last(prefetch: Prefetch):
    prefetch.record_claim_answer(claimed(QUICK, QUICK, NEW), prefetch.claim_request(1, 1, ClaimedTasks(), now=0))
    assert list(prefetch.claim_request(1, 1, ClaimedTasks(), now=0).most) == [SLOW, QUICK, NEW]


def test_a_withdrawn_type_loses_its_turn(prefetch: Prefetch):
    prefetch.record_claim_answer(claimed(QUICK), prefetch.claim_request(1, 1, ClaimedTasks(), now=0))
    prefetch.set_types([NEW, QUICK, TypeName("newer")])
    assert prefetch.turns == [NEW, QUICK, "newer"]


def test_a_withdrawn_type_reserves_no_slot(prefetch: Prefetch):
    request = prefetch.claim_request(4, 4, ClaimedTasks(), now=0)
    prefetch.record_claim_answer(claimed(*[QUICK] * request.most[QUICK]), request)
    prefetch.set_types([SLOW])
    assert prefetch.claim_request(4, 4, ClaimedTasks(), now=0).max_slow == 4


def test_a_task_of_a_withdrawn_type_may_still_arrive(prefetch: Prefetch):
    request = prefetch.claim_request(1, 1, ClaimedTasks(), now=0)
    prefetch.set_types([NEW])
    prefetch.record_claim_answer(claimed(QUICK), request)
    assert prefetch.turns == [NEW]


def test_a_slow_run_of_a_quick_type_raises_its_mean(prefetch: Prefetch):
    prefetch.record_duration(QUICK, 10.0)
    assert prefetch.claim_request(1, 1, ClaimedTasks(), now=0).most[QUICK] == 1


class TestEmptyTypes:
    def test_are_the_requested_types_that_returned_nothing(self, prefetch: Prefetch):
        prefetch.record_claim_answer(claimed(QUICK), prefetch.claim_request(2, 2, ClaimedTasks(), now=0))
        assert prefetch.empty_types == {SLOW, NEW}

    def test_are_none_when_the_bytes_were_used_up(self, prefetch: Prefetch):
        request = prefetch.claim_request(2, 2, ClaimedTasks(), now=0)
        (task, _) = claimed(SLOW)[0]
        prefetch.record_claim_answer([ClaimedRecord(task, "界" * (MAX_CLAIM_BYTES // 4))], request)
        assert prefetch.empty_types == set()

    def test_are_no_slow_types_when_other_slow_tasks_took_all_slots(self, prefetch: Prefetch):
        prefetch.record_claim_answer(claimed(SLOW, SLOW), prefetch.claim_request(2, 2, ClaimedTasks(), now=0))
        assert prefetch.empty_types == {QUICK}

    def test_are_none_when_the_claim_was_full(self, prefetch: Prefetch):
        prefetch.record_claim_answer(
            claimed(*[QUICK] * MAX_PREFETCHED_TASKS), prefetch.claim_request(9, 9, ClaimedTasks(), now=0)
        )
        assert prefetch.empty_types == set()

    def test_stay_as_they_were_when_they_were_not_requested(self, prefetch: Prefetch):
        prefetch.record_claim_answer([], prefetch.claim_request(0, 1, claimed_tasks(running="q", started=0), now=0.01))
        assert prefetch.empty_types == {QUICK, SLOW, NEW}
        prefetch.record_claim_answer(claimed(QUICK), prefetch.claim_request(1, 1, ClaimedTasks(), now=0))
        assert prefetch.empty_types == {SLOW, NEW}


class TestReservedSlot:
    def test_is_kept_while_more_quick_tasks_wait_than_were_claimed(self, prefetch: Prefetch):
        request = prefetch.claim_request(4, 4, ClaimedTasks(), now=0)
        prefetch.record_claim_answer(claimed(*[QUICK] * request.most[QUICK]), request)
        assert prefetch.claim_request(4, 4, ClaimedTasks(), now=0).max_slow == 3
        prefetch.record_claim_answer(claimed(QUICK), request)
        assert prefetch.claim_request(4, 4, ClaimedTasks(), now=0).max_slow == 4

    def test_is_kept_until_the_quick_type_is_requested_again(self, prefetch: Prefetch):
        request = prefetch.claim_request(4, 4, ClaimedTasks(), now=0)
        prefetch.record_claim_answer(claimed(*[QUICK] * request.most[QUICK]), request)
        prefetch.record_claim_answer(claimed(SLOW), replace(request, most={SLOW: 1}))
        assert prefetch.claim_request(3, 4, claimed_tasks(running="s", started=0), now=0).max_slow == 2

    def test_is_kept_while_quick_tasks_wait_in_the_handler(self, prefetch: Prefetch):
        assert prefetch.claim_request(4, 4, claimed_tasks(queued="q"), now=0).max_slow == 3
        assert prefetch.claim_request(3, 4, claimed_tasks(running="q"), now=0).max_slow == 3
        assert prefetch.claim_request(3, 4, claimed_tasks(running="q", started=0), now=0.01).max_slow == 4

    def test_is_kept_for_quick_tasks_that_were_given_back(self, prefetch: Prefetch):
        prefetch.record_claim_answer([], prefetch.claim_request(4, 4, ClaimedTasks(), now=0))
        prefetch.record_releases(each.task for each in claimed(QUICK))
        assert prefetch.claim_request(4, 4, ClaimedTasks(), now=0).max_slow == 3
        assert QUICK not in prefetch.empty_types

    def test_is_kept_until_a_full_claim_finds_no_quick_tasks_after_the_release_was_written(self, prefetch: Prefetch):
        unstarted = [each.task for each in claimed(QUICK)]
        prefetch.record_releases(unstarted)
        prefetch.record_claim_sent()
        prefetch.record_settled(task.hold for task in unstarted)
        prefetch.record_claim_answer([], prefetch.claim_request(4, 4, ClaimedTasks(), now=0))
        assert prefetch.claim_request(4, 4, ClaimedTasks(), now=0).max_slow == 3, (
            "the claim may have read before the release was written"
        )
        prefetch.record_claim_sent()
        with_cursors = replace(
            prefetch.claim_request(4, 4, ClaimedTasks(), now=0), cursors={(QUICK, 0): Cursor(NOW, TaskId(1))}
        )
        prefetch.record_claim_answer([], with_cursors)
        assert prefetch.claim_request(4, 4, ClaimedTasks(), now=0).max_slow == 3, "they may wait before the cursors"
        prefetch.record_claim_answer([], prefetch.claim_request(4, 4, ClaimedTasks(), now=0))
        assert prefetch.claim_request(4, 4, ClaimedTasks(), now=0).max_slow == 4

    def test_is_not_taken_by_slow_tasks_of_the_same_claim(self, prefetch: Prefetch):
        queued = claimed_tasks(queued="ssqss")
        assert prefetch.excess_slow_tasks(4, 4, queued, now=0) == [queued.queued[-1]]
        assert prefetch.excess_slow_tasks(4, 4, claimed_tasks(queued="ssss"), now=0) == []
        assert len(prefetch.excess_slow_tasks(2, 4, claimed_tasks(queued="ssqs", running="ss", started=0), now=0)) == 2

    def test_is_kept_for_a_backlogged_type_that_turns_out_quick(self, prefetch: Prefetch):
        request = prefetch.claim_request(4, 4, ClaimedTasks(), now=0)
        prefetch.record_claim_answer(claimed(NEW, SLOW, NEW, SLOW), request)
        assert prefetch.claim_request(2, 4, claimed_tasks(running="ss", started=0), now=0).max_slow == 2
        prefetch.record_duration(NEW, 0.001)
        assert prefetch.claim_request(2, 4, claimed_tasks(running="ss", started=0), now=0).max_slow == 1

    def test_is_not_kept_for_a_quick_type_whose_tasks_were_all_claimed(self, prefetch: Prefetch):
        request = prefetch.claim_request(1, 4, claimed_tasks(running="sss", started=0), now=0)
        prefetch.record_claim_answer(claimed(QUICK), request)
        assert prefetch.claim_request(1, 4, claimed_tasks(running="sss", started=0), now=0).max_slow == 1

    def test_is_not_kept_where_there_is_only_one_slot(self, prefetch: Prefetch):
        request = prefetch.claim_request(1, 1, ClaimedTasks(), now=0)
        prefetch.record_claim_answer(claimed(*[QUICK] * request.most[QUICK]), request)
        assert prefetch.claim_request(1, 1, ClaimedTasks(), now=0).max_slow == 1
