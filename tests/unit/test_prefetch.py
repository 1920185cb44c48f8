"""How many tasks a supervisor claims ahead."""

from dataclasses import replace

import pytest

from application.ports.queue import Claimed, Mark
from application.supervisor.claimed import Holdings
from application.supervisor.prefetch import HORIZON, LIMIT, MOST_BYTES, ClaimAhead
from domain.ids import HandlerId, TaskId, TypeName
from domain.lease import Lease
from tests.steps import NOW, submission

QUICK, SLOW, NEW = TypeName("quick"), TypeName("slow"), TypeName("new")


@pytest.fixture
def ahead() -> ClaimAhead:
    ahead = ClaimAhead()
    ahead.offer([QUICK, SLOW, NEW])
    ahead.learn(QUICK, 0.001)
    ahead.learn(SLOW, 5.0)
    return ahead


def holding(*, queued: str = "", running: str = "", started: float | None = None) -> Holdings:
    """Tasks by the first letters of their types, claimed at the time 0."""
    held = Holdings()
    for nth, letter in enumerate(running + queued):
        type = next(type for type in (QUICK, SLOW, NEW) if type.startswith(letter))
        task = submission(type).registered(TaskId(nth + 1)).claim(Lease.granted(HandlerId("h"), NOW, 30))
        held.take_in([Claimed(task, "{}")], now=0)
        if nth < len(running):
            hold = held.hand_over().hold
            if started is not None:
                held.begin(hold, started)
    return held


def claimed(*types: TypeName) -> list[Claimed]:
    """Tasks of these types, as a claim brings them."""
    tasks = [submission(type).registered(TaskId(nth)) for nth, type in enumerate(types, 1)]
    return [Claimed(task.claim(Lease.granted(HandlerId("h"), NOW, 30)), "{}") for task in tasks]


def test_what_is_slow_or_unknown_is_claimed_once_a_place(ahead: ClaimAhead):
    wanted = ahead.wanted(2, 2, Holdings(), now=0)
    assert (wanted.most[SLOW], wanted.most[NEW]) == (2, 2)
    assert (wanted.slow, wanted.most_slow) == ({SLOW, NEW}, 2)


def test_what_is_quick_is_claimed_as_far_ahead_as_it_starts_within_moments(ahead: ClaimAhead):
    assert ahead.wanted(2, 2, Holdings(), now=0).most[QUICK] == pytest.approx(2 * HORIZON / 0.001, abs=1)


def test_what_is_in_hand_is_bounded_and_claimed_anew_when_half_of_it_has_begun(ahead: ClaimAhead):
    ahead.learn(NEW, 1e-5)
    for _ in range(50):
        ahead.learn(QUICK, 1e-5)

    def most(in_hand: int) -> int:
        return ahead.wanted(2, 2, holding(queued="q" * in_hand), now=0).most.get(QUICK, 0)

    assert most(LIMIT) == most(LIMIT // 2 + 1) == 0
    assert most(LIMIT // 2) == LIMIT - LIMIT // 2
    assert most(10) == LIMIT - 10


def test_quick_types_of_which_there_are_some_share_what_fits(ahead: ClaimAhead):
    alone = ahead.wanted(2, 2, Holdings(), now=0).most[QUICK]
    ahead.learn(NEW, 0.001)
    shared = ahead.wanted(2, 2, Holdings(), now=0).most
    assert shared[QUICK] == shared[NEW] == pytest.approx(alone / 2, abs=1)
    ahead.took(claimed(QUICK), ahead.wanted(2, 2, Holdings(), now=0))
    assert ahead.wanted(2, 2, Holdings(), now=0).most[QUICK] == alone
    ahead.took([], ahead.wanted(2, 2, Holdings(), now=0))
    assert ahead.wanted(2, 2, Holdings(), now=0).most == shared, "nobody knows what will come"


def test_as_many_start_at_once_as_places_are_free(ahead: ClaimAhead):
    assert ahead.wanted(2, 2, Holdings(), now=0).starting == 2
    assert ahead.wanted(256, 2, Holdings(), now=0).starting == 2
    assert ahead.wanted(2, 2, holding(queued="q"), now=0).starting == 1
    assert ahead.wanted(1, 2, holding(queued="qqq", running="s", started=0), now=0).starting == 0


def test_nothing_is_claimed_while_every_place_has_something_slow(ahead: ClaimAhead):
    assert ahead.wanted(0, 2, holding(running="ss", started=0), now=0.01).most == {}


def test_a_place_with_something_quick_is_as_good_as_free(ahead: ClaimAhead):
    wanted = ahead.wanted(0, 2, holding(running="qs", started=0), now=0.01)
    assert wanted.most[QUICK] == pytest.approx(HORIZON / 0.001, abs=1)
    assert wanted.most_slow == 1


def test_a_place_with_many_quick_ones_is_one_place(ahead: ClaimAhead):
    wanted = ahead.wanted(100, 3, holding(running="ss" + "q" * 50, started=0), now=0.01)
    assert wanted.most_slow == 1


def test_something_quick_that_goes_on_for_long_is_slow(ahead: ClaimAhead):
    assert ahead.wanted(0, 1, holding(running="q", started=0), now=2 * HORIZON).most == {}


def test_what_is_queued_takes_from_what_is_wanted(ahead: ClaimAhead):
    assert ahead.wanted(2, 2, holding(queued="ss"), now=0).most == {}
    before = ahead.wanted(2, 2, Holdings(), now=0).most[QUICK]
    assert ahead.wanted(2, 2, holding(queued="q" * 20), now=0).most[QUICK] == pytest.approx(before - 20, abs=1)


def test_a_type_whose_share_is_less_than_one_is_not_passed_over_for_what_takes_less(ahead: ClaimAhead):
    others = [TypeName(f"other {n}") for n in range(9)]
    ahead.offer([QUICK, *others])
    for type in others:
        ahead.learn(type, 0.06)
    half = holding(queued="q" * 100)
    most = ahead.wanted(2, 2, half, now=0).most
    assert most == {QUICK: 10, others[0]: 1, others[1]: 1}, "as far as they start within moments"
    ahead.took(claimed(*others[:2]), ahead.wanted(2, 2, half, now=0))
    assert [*ahead.wanted(2, 2, half, now=0).most][:2] == [QUICK, others[2]], "in turns"


def test_it_is_claimed_anew_when_half_of_what_starts_within_moments_has_begun(ahead: ClaimAhead):
    whole = ahead.wanted(2, 2, Holdings(), now=0).most[QUICK]
    assert QUICK not in ahead.wanted(2, 2, holding(queued="q" * (whole // 2 + 1)), now=0).most
    half = ahead.wanted(2, 2, holding(queued="q" * (whole // 2)), now=0).most[QUICK]
    assert half == pytest.approx(whole / 2, abs=1)


def test_a_place_that_can_be_handed_many_runs_is_still_one_place(ahead: ClaimAhead):
    assert ahead.wanted(256, 2, Holdings(), now=0) == ahead.wanted(2, 2, Holdings(), now=0)


def test_no_batch_is_larger_than_the_limit(ahead: ClaimAhead):
    ahead.learn(NEW, 0)
    assert ahead.wanted(2, 2, Holdings(), now=0).most[NEW] == LIMIT


def test_who_had_a_turn_comes_last(ahead: ClaimAhead):
    ahead.took(claimed(QUICK, QUICK, NEW), ahead.wanted(1, 1, Holdings(), now=0))
    assert list(ahead.wanted(1, 1, Holdings(), now=0).most) == [SLOW, QUICK, NEW]


def test_types_that_are_not_offered_any_more_lose_their_turn(ahead: ClaimAhead):
    ahead.took(claimed(QUICK), ahead.wanted(1, 1, Holdings(), now=0))
    ahead.offer([NEW, QUICK, TypeName("newer")])
    assert ahead.turns == [NEW, QUICK, "newer"]


def test_what_is_not_offered_any_more_keeps_no_place(ahead: ClaimAhead):
    wanted = ahead.wanted(4, 4, Holdings(), now=0)
    ahead.took(claimed(*[QUICK] * wanted.most[QUICK]), wanted)
    ahead.offer([SLOW])
    assert ahead.wanted(4, 4, Holdings(), now=0).most_slow == 4


def test_what_is_not_offered_any_more_may_still_arrive(ahead: ClaimAhead):
    wanted = ahead.wanted(1, 1, Holdings(), now=0)
    ahead.offer([NEW])
    ahead.took(claimed(QUICK), wanted)
    assert ahead.turns == [NEW]


def test_a_slow_run_of_a_quick_type_makes_it_slower(ahead: ClaimAhead):
    ahead.learn(QUICK, 10.0)
    assert ahead.wanted(1, 1, Holdings(), now=0).most[QUICK] == 1


class TestWhatIsExhausted:
    def test_is_what_was_wanted_and_of_which_nothing_was_there(self, ahead: ClaimAhead):
        ahead.took(claimed(QUICK), ahead.wanted(2, 2, Holdings(), now=0))
        assert ahead.exhausted == {SLOW, NEW}

    def test_is_not_what_the_bytes_left_no_room_for(self, ahead: ClaimAhead):
        wanted = ahead.wanted(2, 2, Holdings(), now=0)
        (task, _) = claimed(SLOW)[0]
        ahead.took([Claimed(task, "界" * (MOST_BYTES // 4))], wanted)
        assert ahead.exhausted == set()

    def test_is_not_what_others_left_no_place_for(self, ahead: ClaimAhead):
        ahead.took(claimed(SLOW, SLOW), ahead.wanted(2, 2, Holdings(), now=0))
        assert ahead.exhausted == {QUICK}

    def test_is_nothing_if_the_batch_was_full(self, ahead: ClaimAhead):
        ahead.took(claimed(*[QUICK] * LIMIT), ahead.wanted(9, 9, Holdings(), now=0))
        assert ahead.exhausted == set()

    def test_is_nothing_that_was_not_asked_for(self, ahead: ClaimAhead):
        ahead.took([], ahead.wanted(0, 1, holding(running="q", started=0), now=0.01))
        assert ahead.exhausted == {QUICK, SLOW, NEW}
        ahead.took(claimed(QUICK), ahead.wanted(1, 1, Holdings(), now=0))
        assert ahead.exhausted == {SLOW, NEW}


class TestOnePlaceOfSeveral:
    def test_is_kept_while_more_quick_ones_wait_than_were_claimed(self, ahead: ClaimAhead):
        wanted = ahead.wanted(4, 4, Holdings(), now=0)
        ahead.took(claimed(*[QUICK] * wanted.most[QUICK]), wanted)
        assert ahead.wanted(4, 4, Holdings(), now=0).most_slow == 3
        ahead.took(claimed(QUICK), wanted)
        assert ahead.wanted(4, 4, Holdings(), now=0).most_slow == 4

    def test_is_kept_until_they_are_asked_for_again(self, ahead: ClaimAhead):
        wanted = ahead.wanted(4, 4, Holdings(), now=0)
        ahead.took(claimed(*[QUICK] * wanted.most[QUICK]), wanted)
        ahead.took(claimed(SLOW), replace(wanted, most={SLOW: 1}))
        assert ahead.wanted(3, 4, holding(running="s", started=0), now=0).most_slow == 2

    def test_is_kept_while_quick_ones_wait_here(self, ahead: ClaimAhead):
        assert ahead.wanted(4, 4, holding(queued="q"), now=0).most_slow == 3
        assert ahead.wanted(3, 4, holding(running="q"), now=0).most_slow == 3
        assert ahead.wanted(3, 4, holding(running="q", started=0), now=0.01).most_slow == 4

    def test_is_kept_for_those_that_were_given_back(self, ahead: ClaimAhead):
        ahead.took([], ahead.wanted(4, 4, Holdings(), now=0))
        ahead.gave_back(each.task for each in claimed(QUICK))
        assert ahead.wanted(4, 4, Holdings(), now=0).most_slow == 3
        assert QUICK not in ahead.exhausted

    def test_is_kept_until_it_is_known_that_those_which_were_given_back_wait_there_no_more(self, ahead: ClaimAhead):
        unstarted = [each.task for each in claimed(QUICK)]
        ahead.gave_back(unstarted)
        ahead.asked()
        ahead.settled(task.hold for task in unstarted)
        ahead.took([], ahead.wanted(4, 4, Holdings(), now=0))
        assert ahead.wanted(4, 4, Holdings(), now=0).most_slow == 3, "it may not have been written when it looked"
        ahead.asked()
        behind_marks = replace(ahead.wanted(4, 4, Holdings(), now=0), marks={(QUICK, 0): Mark(NOW, TaskId(1))})
        ahead.took([], behind_marks)
        assert ahead.wanted(4, 4, Holdings(), now=0).most_slow == 3, "they may stand before the marks"
        ahead.took([], ahead.wanted(4, 4, Holdings(), now=0))
        assert ahead.wanted(4, 4, Holdings(), now=0).most_slow == 4

    def test_is_not_taken_by_slow_ones_that_came_together_with_quick_ones(self, ahead: ClaimAhead):
        queued = holding(queued="ssqss")
        assert ahead.too_many(4, 4, queued, now=0) == [queued.queued[-1]]
        assert ahead.too_many(4, 4, holding(queued="ssss"), now=0) == []
        assert len(ahead.too_many(2, 4, holding(queued="ssqs", running="ss", started=0), now=0)) == 2

    def test_is_kept_for_what_turned_out_quick_though_all_places_were_taken(self, ahead: ClaimAhead):
        wanted = ahead.wanted(4, 4, Holdings(), now=0)
        ahead.took(claimed(NEW, SLOW, NEW, SLOW), wanted)
        assert ahead.wanted(2, 4, holding(running="ss", started=0), now=0).most_slow == 2
        ahead.learn(NEW, 0.001)
        assert ahead.wanted(2, 4, holding(running="ss", started=0), now=0).most_slow == 1

    def test_is_not_kept_for_the_quick_ones_that_come_now_and_then(self, ahead: ClaimAhead):
        wanted = ahead.wanted(1, 4, holding(running="sss", started=0), now=0)
        ahead.took(claimed(QUICK), wanted)
        assert ahead.wanted(1, 4, holding(running="sss", started=0), now=0).most_slow == 1

    def test_is_not_kept_where_there_is_only_one(self, ahead: ClaimAhead):
        wanted = ahead.wanted(1, 1, Holdings(), now=0)
        ahead.took(claimed(*[QUICK] * wanted.most[QUICK]), wanted)
        assert ahead.wanted(1, 1, Holdings(), now=0).most_slow == 1
