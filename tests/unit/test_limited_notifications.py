"""Notifications of limited types: they wait for the claim that is under way."""

from application.ports.limits import Bound, Bounded, LimitedClaim
from application.ports.wake_up import Topic
from application.supervisor.limited_types import LimitedTypes
from tests.steps import ADD

FULL = LimitedClaim([], {ADD: Bounded(Bound.PLACES)})


def test_a_notification_that_comes_during_a_claim_outlives_its_answer():
    limited = LimitedTypes()
    limited.set([ADD])
    limited.record_claim(FULL, now=0)
    limited.notified.add(Topic.ENDED)
    assert not limited.may_start(0.5)
    limited.record_claim(FULL, now=0.6)
    assert limited.due(0.6) == [ADD]
