"""How many tasks a supervisor claims ahead."""

import pytest

from application.ports.queue import Claimed
from application.supervisor.claim_ahead import HORIZON, LIMIT, ClaimAhead
from application.supervisor.held import Holdings
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
            held.hand_over().started_at = started
    return held


def test_what_is_slow_or_unknown_is_claimed_once_a_free_place(ahead: ClaimAhead):
    wanted = ahead.wanted(2, 2, Holdings(), now=0)
    assert (wanted[SLOW], wanted[NEW]) == (2, 2)


def test_what_is_quick_is_claimed_as_far_ahead_as_it_starts_within_moments(ahead: ClaimAhead):
    assert ahead.wanted(2, 2, Holdings(), now=0)[QUICK] == pytest.approx(2 * HORIZON / 0.001, abs=1)


def test_nothing_is_claimed_while_every_place_has_something_slow(ahead: ClaimAhead):
    assert ahead.wanted(0, 2, holding(running="ss", started=0), now=0.01) == {}


def test_a_place_with_something_quick_is_as_good_as_free_for_what_is_quick(ahead: ClaimAhead):
    wanted = ahead.wanted(0, 2, holding(running="qs", started=0), now=0.01)
    assert set(wanted) == {QUICK}
    assert wanted[QUICK] == pytest.approx(HORIZON / 0.001, abs=1)


def test_something_quick_that_goes_on_for_long_is_slow(ahead: ClaimAhead):
    assert ahead.wanted(0, 1, holding(running="q", started=0), now=2 * HORIZON) == {}


def test_what_is_queued_takes_from_what_is_wanted(ahead: ClaimAhead):
    assert ahead.wanted(2, 2, holding(queued="ss"), now=0) == {}
    before = ahead.wanted(2, 2, Holdings(), now=0)[QUICK]
    assert ahead.wanted(2, 2, holding(queued="q" * 20), now=0)[QUICK] == pytest.approx(before - 20, abs=1)


def test_a_place_that_can_be_handed_many_runs_is_still_one_place(ahead: ClaimAhead):
    assert ahead.wanted(256, 2, Holdings(), now=0) == ahead.wanted(2, 2, Holdings(), now=0)


def test_no_batch_is_larger_than_the_limit(ahead: ClaimAhead):
    ahead.learn(NEW, 0)
    assert ahead.wanted(2, 2, Holdings(), now=0)[NEW] == LIMIT


def test_who_had_a_turn_comes_last(ahead: ClaimAhead):
    ahead.took([QUICK, QUICK, NEW])
    assert list(ahead.wanted(1, 1, Holdings(), now=0)) == [SLOW, QUICK, NEW]


def test_types_that_are_not_offered_any_more_lose_their_turn(ahead: ClaimAhead):
    ahead.took([QUICK])
    ahead.offer([NEW, QUICK, TypeName("newer")])
    assert ahead.turns == [NEW, QUICK, "newer"]


def test_a_slow_run_of_a_quick_type_makes_it_slower(ahead: ClaimAhead):
    ahead.learn(QUICK, 10.0)
    assert ahead.wanted(1, 1, Holdings(), now=0)[QUICK] == 1
