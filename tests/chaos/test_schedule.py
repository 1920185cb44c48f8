"""The schedule: a pure function of its seed."""

from collections import Counter

from tests.chaos.actions import ACTIONS
from tests.chaos.schedule import WEIGHTS, schedule


def test_a_seed_gives_the_same_steps_each_time():
    assert schedule(7, 600) == schedule(7, 600) != schedule(8, 600)


def test_a_longer_schedule_begins_as_a_shorter_one():
    short = schedule(7, 60)
    assert schedule(7, 600)[: len(short)] == short


def test_every_action_that_there_is_comes_up():
    assert {step.action for step in schedule(7, 600)} == set(WEIGHTS) == set(ACTIONS)


def test_every_action_comes_up_ten_times_in_half_an_hour():
    counts = Counter(step.action for step in schedule(7, 1800))
    assert min(counts[action] for action in WEIGHTS) >= 10
