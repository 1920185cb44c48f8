"""How a supervisor remembers how far its claims have got."""

from application.ports.queue import Claimed, Mark
from application.supervisor.claim_cursors import LONGEST, MOST, SHARE, Marks
from domain.ids import TaskId, TypeName
from tests.steps import NOW, at, submission

ADD, OTHER = TypeName("add"), TypeName("other")


def claimed(*line: tuple[TypeName, int, float]) -> list[Claimed]:
    """Tasks by type, priority and seconds from now."""
    return [
        Claimed(submission(type, priority=priority, run_at=at(seconds)).registered(TaskId(nth)), "{}")
        for nth, (type, priority, seconds) in enumerate(line, 1)
    ]


def test_at_first_nothing_has_a_mark():
    marks = Marks()
    marks.claimed(claimed((ADD, 0, -1)))
    assert marks.to_use(0) == {}


def test_the_last_of_each_type_and_priority_is_its_mark():
    marks = Marks()
    marks.began_anew(now=5, seconds=0.1)
    marks.claimed(claimed((ADD, 9, -1), (ADD, 0, -3), (OTHER, 0, -9), (ADD, 0, -2)))
    expected = {
        (ADD, 9): Mark(at(-1), TaskId(1)),
        (ADD, 0): Mark(at(-2), TaskId(4)),
        (OTHER, 0): Mark(at(-9), TaskId(3)),
    }
    assert marks.to_use(5) == expected
    marks.claimed(claimed((ADD, 0, 0)))
    assert marks.to_use(5) == expected | {(ADD, 0): Mark(NOW, TaskId(1))}


def test_a_claim_from_the_beginning_may_put_a_mark_back():
    marks = Marks()
    marks.began_anew(now=5, seconds=0.1)
    marks.claimed(claimed((ADD, 0, -1)))
    marks.claimed(claimed((ADD, 0, -60)))
    assert marks.to_use(5) == {(ADD, 0): Mark(at(-60), TaskId(1))}


def test_the_longer_a_claim_from_the_beginning_takes_the_later_comes_the_next():
    marks = Marks()
    marks.claimed(claimed((ADD, 0, -1)))
    marks.began_anew(now=5, seconds=0.1)
    assert marks.begin_anew_in(5) == SHARE * 0.1
    assert marks.to_use(5 + SHARE * 0.1 - 0.01)
    assert not marks.to_use(5 + SHARE * 0.1)


def test_one_that_was_held_up_does_not_keep_what_stands_before_the_marks_waiting_for_long():
    marks = Marks()
    marks.claimed(claimed((ADD, 0, -1)))
    marks.began_anew(now=5, seconds=14)
    assert marks.begin_anew_in(5) == LONGEST


def test_there_are_no_more_marks_than_some():
    marks = Marks()
    marks.began_anew(now=5, seconds=0.1)
    for nth in range(MOST + 10):
        marks.claimed(claimed((TypeName(f"type {nth}"), 0, -1)))
        assert 1 <= len(marks.to_use(5)) <= MOST + 1
