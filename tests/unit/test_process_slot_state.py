"""The states of a slot: which verb may start from which state, and which state follows."""

import pytest

from adapters.executors.process.pool.slot_state import RULES, InvalidSlotTransition, SlotLifecycle, SlotState, SlotVerb

ALLOWED = {
    (SlotVerb.GET_READY, SlotState.STARTING): SlotState.READY,
    (SlotVerb.STALL, SlotState.READY): SlotState.STALLED,
    (SlotVerb.STALL, SlotState.STOPPING): SlotState.DRAINED,
    (SlotVerb.RESUME, SlotState.STALLED): SlotState.READY,
    (SlotVerb.STOP, SlotState.STARTING): SlotState.STOPPING,
    (SlotVerb.STOP, SlotState.READY): SlotState.STOPPING,
    (SlotVerb.STOP, SlotState.STALLED): SlotState.DRAINED,
    (SlotVerb.STOP, SlotState.RETIRING): SlotState.DRAINED,
    (SlotVerb.RETIRE, SlotState.READY): SlotState.RETIRING,
    (SlotVerb.RETIRE, SlotState.STALLED): SlotState.RETIRING,
    (SlotVerb.DIE, SlotState.RETIRING): SlotState.DEAD,
    (SlotVerb.DIE, SlotState.STARTING): SlotState.DEAD,
    (SlotVerb.DIE, SlotState.READY): SlotState.DEAD,
    (SlotVerb.DIE, SlotState.STALLED): SlotState.DEAD,
    (SlotVerb.DIE, SlotState.STOPPING): SlotState.DEAD,
    (SlotVerb.DIE, SlotState.DRAINED): SlotState.DEAD,
}
REFUSED = [(verb, state) for verb in SlotVerb for state in SlotState if (verb, state) not in ALLOWED]


def in_state(state: SlotState) -> SlotLifecycle:
    lifecycle = SlotLifecycle()
    lifecycle.state = state
    return lifecycle


def test_a_slot_begins_with_starting() -> None:
    assert SlotLifecycle().state is SlotState.STARTING


@pytest.mark.parametrize(("verb", "state"), ALLOWED)
def test_an_allowed_verb_leads_to_the_state_that_follows(verb: SlotVerb, state: SlotState) -> None:
    strict, lenient = in_state(state), in_state(state)
    assert strict.allows(verb)
    strict.apply(verb)
    assert lenient.apply_if_allowed(verb)
    assert strict.state is lenient.state is ALLOWED[verb, state]


@pytest.mark.parametrize(("verb", "state"), REFUSED)
def test_a_refused_verb_raises_and_changes_nothing(verb: SlotVerb, state: SlotState) -> None:
    lifecycle = in_state(state)
    assert not lifecycle.allows(verb)
    assert not lifecycle.apply_if_allowed(verb)
    with pytest.raises(InvalidSlotTransition, match=f"a slot cannot {verb} while it is {state}"):
        lifecycle.apply(verb)
    assert lifecycle.state is state


def test_every_verb_has_its_rules_and_every_state_is_reached() -> None:
    assert set(RULES) == set(SlotVerb)
    reached = {state for following in RULES.values() for state in following.values()}
    assert reached | {SlotState.STARTING} == set(SlotState)


def test_a_dead_slot_stays_dead() -> None:
    assert not any(in_state(SlotState.DEAD).allows(verb) for verb in SlotVerb)
