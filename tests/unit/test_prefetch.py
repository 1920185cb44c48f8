"""How many tasks a supervisor claims ahead."""

from dataclasses import replace

import pytest

from application.ports.queue import ClaimedRecord, Cursor
from application.supervisor.claimed import ClaimedTasks
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


def holding(*, queued: str = "", running: str = "", started: float | None = None) -> ClaimedTasks:
    """Tasks by the first letters of their types, claimed at the time 0."""
    held = ClaimedTasks()
    for nth, letter in enumerate(running + queued):
        type = next(type for type in (QUICK, SLOW, NEW) if type.startswith(letter))
        task = submission(type).registered(TaskId(nth + 1)).claim(Lease.granted(HandlerId("h"), NOW, 30))
        held.add([ClaimedRecord(task, "{}")], now=0)
        if nth < len(running):
            hold = held.dispatch_first().hold
            if started is not None:
                held.start(hold, started)
    return held


def claimed(*types: TypeName) -> list[ClaimedRecord]:
    """Tasks of these types, as a claim brings them."""
    tasks = [submission(type).registered(TaskId(nth)) for nth, type in enumerate(types, 1)]
    return [ClaimedRecord(task.claim(Lease.granted(HandlerId("h"), NOW, 30)), "{}") for task in tasks]


def test_what_is_slow_or_unknown_is_claimed_once_a_place(prefetch: Prefetch):
    wanted = prefetch.claim_request(2, 2, ClaimedTasks(), now=0)
    assert (wanted.most[SLOW], wanted.most[NEW]) == (2, 2)
    assert (wanted.slow, wanted.max_slow) == ({SLOW, NEW}, 2)


def test_what_is_quick_is_claimed_as_far_ahead_as_it_starts_within_moments(prefetch: Prefetch):
    assert prefetch.claim_request(2, 2, ClaimedTasks(), now=0).most[QUICK] == pytest.approx(
        2 * PREFETCH_SECONDS / 0.001, abs=1
    )


def test_what_is_in_hand_is_bounded_and_claimed_anew_when_half_of_it_has_begun(prefetch: Prefetch):
    prefetch.record_duration(NEW, 1e-5)
    for _ in range(50):
        prefetch.record_duration(QUICK, 1e-5)

    def most(in_hand: int) -> int:
        return prefetch.claim_request(2, 2, holding(queued="q" * in_hand), now=0).most.get(QUICK, 0)

    assert most(MAX_PREFETCHED_TASKS) == most(MAX_PREFETCHED_TASKS // 2 + 1) == 0
    assert most(MAX_PREFETCHED_TASKS // 2) == MAX_PREFETCHED_TASKS - MAX_PREFETCHED_TASKS // 2
    assert most(10) == MAX_PREFETCHED_TASKS - 10


def test_quick_types_of_which_there_are_some_share_what_fits(prefetch: Prefetch):
    alone = prefetch.claim_request(2, 2, ClaimedTasks(), now=0).most[QUICK]
    prefetch.record_duration(NEW, 0.001)
    shared = prefetch.claim_request(2, 2, ClaimedTasks(), now=0).most
    assert shared[QUICK] == shared[NEW] == pytest.approx(alone / 2, abs=1)
    prefetch.record_claim_answer(claimed(QUICK), prefetch.claim_request(2, 2, ClaimedTasks(), now=0))
    assert prefetch.claim_request(2, 2, ClaimedTasks(), now=0).most[QUICK] == alone
    prefetch.record_claim_answer([], prefetch.claim_request(2, 2, ClaimedTasks(), now=0))
    assert prefetch.claim_request(2, 2, ClaimedTasks(), now=0).most == shared, "nobody knows what will come"


def test_as_many_start_at_once_as_places_are_free(prefetch: Prefetch):
    assert prefetch.claim_request(2, 2, ClaimedTasks(), now=0).starting == 2
    assert prefetch.claim_request(256, 2, ClaimedTasks(), now=0).starting == 2
    assert prefetch.claim_request(2, 2, holding(queued="q"), now=0).starting == 1
    assert prefetch.claim_request(1, 2, holding(queued="qqq", running="s", started=0), now=0).starting == 0


def test_nothing_is_claimed_while_every_place_has_something_slow(prefetch: Prefetch):
    assert prefetch.claim_request(0, 2, holding(running="ss", started=0), now=0.01).most == {}


def test_a_place_with_something_quick_is_as_good_as_free(prefetch: Prefetch):
    wanted = prefetch.claim_request(0, 2, holding(running="qs", started=0), now=0.01)
    assert wanted.most[QUICK] == pytest.approx(PREFETCH_SECONDS / 0.001, abs=1)
    assert wanted.max_slow == 1


def test_a_place_with_many_quick_ones_is_one_place(prefetch: Prefetch):
    wanted = prefetch.claim_request(100, 3, holding(running="ss" + "q" * 50, started=0), now=0.01)
    assert wanted.max_slow == 1


def test_something_quick_that_goes_on_for_long_is_slow(prefetch: Prefetch):
    assert prefetch.claim_request(0, 1, holding(running="q", started=0), now=2 * PREFETCH_SECONDS).most == {}


def test_what_is_queued_takes_from_what_is_wanted(prefetch: Prefetch):
    assert prefetch.claim_request(2, 2, holding(queued="ss"), now=0).most == {}
    before = prefetch.claim_request(2, 2, ClaimedTasks(), now=0).most[QUICK]
    assert prefetch.claim_request(2, 2, holding(queued="q" * 20), now=0).most[QUICK] == pytest.approx(
        before - 20, abs=1
    )


def test_a_type_whose_share_is_less_than_one_is_not_passed_over_for_what_takes_less(prefetch: Prefetch):
    others = [TypeName(f"other {n}") for n in range(9)]
    prefetch.set_types([QUICK, *others])
    for type in others:
        prefetch.record_duration(type, 0.06)
    half = holding(queued="q" * 100)
    most = prefetch.claim_request(2, 2, half, now=0).most
    assert most == {QUICK: 10, others[0]: 1, others[1]: 1}, "as far as they start within moments"
    prefetch.record_claim_answer(claimed(*others[:2]), prefetch.claim_request(2, 2, half, now=0))
    assert [*prefetch.claim_request(2, 2, half, now=0).most][:2] == [QUICK, others[2]], "in turns"


def test_it_is_claimed_anew_when_half_of_what_starts_within_moments_has_begun(prefetch: Prefetch):
    whole = prefetch.claim_request(2, 2, ClaimedTasks(), now=0).most[QUICK]
    assert QUICK not in prefetch.claim_request(2, 2, holding(queued="q" * (whole // 2 + 1)), now=0).most
    half = prefetch.claim_request(2, 2, holding(queued="q" * (whole // 2)), now=0).most[QUICK]
    assert half == pytest.approx(whole / 2, abs=1)


def test_a_place_that_can_be_handed_many_runs_is_still_one_place(prefetch: Prefetch):
    assert prefetch.claim_request(256, 2, ClaimedTasks(), now=0) == prefetch.claim_request(2, 2, ClaimedTasks(), now=0)


def test_no_batch_is_larger_than_the_limit(prefetch: Prefetch):
    prefetch.record_duration(NEW, 0)
    assert prefetch.claim_request(2, 2, ClaimedTasks(), now=0).most[NEW] == MAX_PREFETCHED_TASKS


def test_who_had_a_turn_comes_last(prefetch: Prefetch):
    prefetch.record_claim_answer(claimed(QUICK, QUICK, NEW), prefetch.claim_request(1, 1, ClaimedTasks(), now=0))
    assert list(prefetch.claim_request(1, 1, ClaimedTasks(), now=0).most) == [SLOW, QUICK, NEW]


def test_types_that_are_not_offered_any_more_lose_their_turn(prefetch: Prefetch):
    prefetch.record_claim_answer(claimed(QUICK), prefetch.claim_request(1, 1, ClaimedTasks(), now=0))
    prefetch.set_types([NEW, QUICK, TypeName("newer")])
    assert prefetch.turns == [NEW, QUICK, "newer"]


def test_what_is_not_offered_any_more_keeps_no_place(prefetch: Prefetch):
    wanted = prefetch.claim_request(4, 4, ClaimedTasks(), now=0)
    prefetch.record_claim_answer(claimed(*[QUICK] * wanted.most[QUICK]), wanted)
    prefetch.set_types([SLOW])
    assert prefetch.claim_request(4, 4, ClaimedTasks(), now=0).max_slow == 4


def test_what_is_not_offered_any_more_may_still_arrive(prefetch: Prefetch):
    wanted = prefetch.claim_request(1, 1, ClaimedTasks(), now=0)
    prefetch.set_types([NEW])
    prefetch.record_claim_answer(claimed(QUICK), wanted)
    assert prefetch.turns == [NEW]


def test_a_slow_run_of_a_quick_type_makes_it_slower(prefetch: Prefetch):
    prefetch.record_duration(QUICK, 10.0)
    assert prefetch.claim_request(1, 1, ClaimedTasks(), now=0).most[QUICK] == 1


class TestWhatIsExhausted:
    def test_is_what_was_wanted_and_of_which_nothing_was_there(self, prefetch: Prefetch):
        prefetch.record_claim_answer(claimed(QUICK), prefetch.claim_request(2, 2, ClaimedTasks(), now=0))
        assert prefetch.empty_types == {SLOW, NEW}

    def test_is_not_what_the_bytes_left_no_room_for(self, prefetch: Prefetch):
        wanted = prefetch.claim_request(2, 2, ClaimedTasks(), now=0)
        (task, _) = claimed(SLOW)[0]
        prefetch.record_claim_answer([ClaimedRecord(task, "界" * (MAX_CLAIM_BYTES // 4))], wanted)
        assert prefetch.empty_types == set()

    def test_is_not_what_others_left_no_place_for(self, prefetch: Prefetch):
        prefetch.record_claim_answer(claimed(SLOW, SLOW), prefetch.claim_request(2, 2, ClaimedTasks(), now=0))
        assert prefetch.empty_types == {QUICK}

    def test_is_nothing_if_the_batch_was_full(self, prefetch: Prefetch):
        prefetch.record_claim_answer(
            claimed(*[QUICK] * MAX_PREFETCHED_TASKS), prefetch.claim_request(9, 9, ClaimedTasks(), now=0)
        )
        assert prefetch.empty_types == set()

    def test_is_nothing_that_was_not_asked_for(self, prefetch: Prefetch):
        prefetch.record_claim_answer([], prefetch.claim_request(0, 1, holding(running="q", started=0), now=0.01))
        assert prefetch.empty_types == {QUICK, SLOW, NEW}
        prefetch.record_claim_answer(claimed(QUICK), prefetch.claim_request(1, 1, ClaimedTasks(), now=0))
        assert prefetch.empty_types == {SLOW, NEW}


class TestOnePlaceOfSeveral:
    def test_is_kept_while_more_quick_ones_wait_than_were_claimed(self, prefetch: Prefetch):
        wanted = prefetch.claim_request(4, 4, ClaimedTasks(), now=0)
        prefetch.record_claim_answer(claimed(*[QUICK] * wanted.most[QUICK]), wanted)
        assert prefetch.claim_request(4, 4, ClaimedTasks(), now=0).max_slow == 3
        prefetch.record_claim_answer(claimed(QUICK), wanted)
        assert prefetch.claim_request(4, 4, ClaimedTasks(), now=0).max_slow == 4

    def test_is_kept_until_they_are_asked_for_again(self, prefetch: Prefetch):
        wanted = prefetch.claim_request(4, 4, ClaimedTasks(), now=0)
        prefetch.record_claim_answer(claimed(*[QUICK] * wanted.most[QUICK]), wanted)
        prefetch.record_claim_answer(claimed(SLOW), replace(wanted, most={SLOW: 1}))
        assert prefetch.claim_request(3, 4, holding(running="s", started=0), now=0).max_slow == 2

    def test_is_kept_while_quick_ones_wait_here(self, prefetch: Prefetch):
        assert prefetch.claim_request(4, 4, holding(queued="q"), now=0).max_slow == 3
        assert prefetch.claim_request(3, 4, holding(running="q"), now=0).max_slow == 3
        assert prefetch.claim_request(3, 4, holding(running="q", started=0), now=0.01).max_slow == 4

    def test_is_kept_for_those_that_were_given_back(self, prefetch: Prefetch):
        prefetch.record_claim_answer([], prefetch.claim_request(4, 4, ClaimedTasks(), now=0))
        prefetch.record_releases(each.task for each in claimed(QUICK))
        assert prefetch.claim_request(4, 4, ClaimedTasks(), now=0).max_slow == 3
        assert QUICK not in prefetch.empty_types

    def test_is_kept_until_it_is_known_that_those_which_were_given_back_wait_there_no_more(self, prefetch: Prefetch):
        unstarted = [each.task for each in claimed(QUICK)]
        prefetch.record_releases(unstarted)
        prefetch.record_claim_sent()
        prefetch.record_settled(task.hold for task in unstarted)
        prefetch.record_claim_answer([], prefetch.claim_request(4, 4, ClaimedTasks(), now=0))
        assert prefetch.claim_request(4, 4, ClaimedTasks(), now=0).max_slow == 3, (
            "it may not have been written when it looked"
        )
        prefetch.record_claim_sent()
        behind_marks = replace(
            prefetch.claim_request(4, 4, ClaimedTasks(), now=0), cursors={(QUICK, 0): Cursor(NOW, TaskId(1))}
        )
        prefetch.record_claim_answer([], behind_marks)
        assert prefetch.claim_request(4, 4, ClaimedTasks(), now=0).max_slow == 3, "they may stand before the marks"
        prefetch.record_claim_answer([], prefetch.claim_request(4, 4, ClaimedTasks(), now=0))
        assert prefetch.claim_request(4, 4, ClaimedTasks(), now=0).max_slow == 4

    def test_is_not_taken_by_slow_ones_that_came_together_with_quick_ones(self, prefetch: Prefetch):
        queued = holding(queued="ssqss")
        assert prefetch.excess_slow_tasks(4, 4, queued, now=0) == [queued.queued[-1]]
        assert prefetch.excess_slow_tasks(4, 4, holding(queued="ssss"), now=0) == []
        assert len(prefetch.excess_slow_tasks(2, 4, holding(queued="ssqs", running="ss", started=0), now=0)) == 2

    def test_is_kept_for_what_turned_out_quick_though_all_places_were_taken(self, prefetch: Prefetch):
        wanted = prefetch.claim_request(4, 4, ClaimedTasks(), now=0)
        prefetch.record_claim_answer(claimed(NEW, SLOW, NEW, SLOW), wanted)
        assert prefetch.claim_request(2, 4, holding(running="ss", started=0), now=0).max_slow == 2
        prefetch.record_duration(NEW, 0.001)
        assert prefetch.claim_request(2, 4, holding(running="ss", started=0), now=0).max_slow == 1

    def test_is_not_kept_for_the_quick_ones_that_come_now_and_then(self, prefetch: Prefetch):
        wanted = prefetch.claim_request(1, 4, holding(running="sss", started=0), now=0)
        prefetch.record_claim_answer(claimed(QUICK), wanted)
        assert prefetch.claim_request(1, 4, holding(running="sss", started=0), now=0).max_slow == 1

    def test_is_not_kept_where_there_is_only_one(self, prefetch: Prefetch):
        wanted = prefetch.claim_request(1, 1, ClaimedTasks(), now=0)
        prefetch.record_claim_answer(claimed(*[QUICK] * wanted.most[QUICK]), wanted)
        assert prefetch.claim_request(1, 1, ClaimedTasks(), now=0).max_slow == 1
