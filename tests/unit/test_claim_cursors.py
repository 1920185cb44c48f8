"""Claim cursors: where they stand, and when a claim does without them."""

from application.ports.queue import ClaimedRecord, Cursor
from application.supervisor.claim_cursors import (
    FULL_CLAIM_PAUSE_FACTOR,
    MAX_CURSORS,
    MAX_FULL_CLAIM_PAUSE_SECONDS,
    ClaimCursors,
)
from domain.ids import TaskId, TypeName
from domain.task import Task
from tests.steps import NOW, at, submission

ADD, OTHER = TypeName("add"), TypeName("other")


def claimed(*line: tuple[TypeName, int, float]) -> list[ClaimedRecord]:
    """Claimed tasks by type, priority and seconds from now."""
    return [
        ClaimedRecord(submission(type, priority=priority, run_at=at(seconds)).registered(TaskId(nth)), "{}")
        for nth, (type, priority, seconds) in enumerate(line, 1)
    ]


def test_no_cursor_is_usable_before_a_full_claim_has_ended():
    cursors = ClaimCursors()
    cursors.advance(claimed((ADD, 0, -1)))
    assert cursors.usable(0) == {}


def test_the_last_task_of_each_type_and_priority_is_its_cursor():
    cursors = ClaimCursors()
    cursors.full_claim_ended(now=5, seconds=0.1)
    cursors.advance(claimed((ADD, 9, -1), (ADD, 0, -3), (OTHER, 0, -9), (ADD, 0, -2)))
    expected = {
        (ADD, 9): Cursor(at(-1), TaskId(1)),
        (ADD, 0): Cursor(at(-2), TaskId(4)),
        (OTHER, 0): Cursor(at(-9), TaskId(3)),
    }
    assert cursors.usable(5) == expected
    cursors.advance(claimed((ADD, 0, 0)))
    assert cursors.usable(5) == expected | {(ADD, 0): Cursor(NOW, TaskId(1))}


def test_after_a_full_claim_of_some_types_the_next_claim_of_another_one_is_full_too():
    cursors = ClaimCursors()
    cursors.advance(claimed((ADD, 0, -1), (OTHER, 0, -1)))
    cursors.full_claim_ended(now=5, seconds=0.1, types={ADD})
    assert cursors.usable(5).keys() == {(ADD, 0)}


def test_a_full_claim_may_move_a_cursor_back():
    cursors = ClaimCursors()
    cursors.full_claim_ended(now=5, seconds=0.1)
    cursors.advance(claimed((ADD, 0, -1)))
    cursors.advance(claimed((ADD, 0, -60)))
    assert cursors.usable(5) == {(ADD, 0): Cursor(at(-60), TaskId(1))}


def test_the_pause_after_a_full_claim_is_a_multiple_of_its_duration():
    cursors = ClaimCursors()
    cursors.advance(claimed((ADD, 0, -1)))
    cursors.full_claim_ended(now=5, seconds=0.1)
    assert cursors.full_claim_due_in(5) == FULL_CLAIM_PAUSE_FACTOR * 0.1
    assert cursors.usable(5 + FULL_CLAIM_PAUSE_FACTOR * 0.1 - 0.01)
    assert not cursors.usable(5 + FULL_CLAIM_PAUSE_FACTOR * 0.1)


def test_the_pause_after_a_long_full_claim_is_bounded():
    cursors = ClaimCursors()
    cursors.advance(claimed((ADD, 0, -1)))
    cursors.full_claim_ended(now=5, seconds=14)
    assert cursors.full_claim_due_in(5) == MAX_FULL_CLAIM_PAUSE_SECONDS


def test_the_number_of_cursors_is_bounded():
    cursors = ClaimCursors()
    cursors.full_claim_ended(now=5, seconds=0.1)
    for nth in range(MAX_CURSORS + 10):
        cursors.advance(claimed((TypeName(f"type {nth}"), 0, -1)))
        assert 1 <= len(cursors.usable(5)) <= MAX_CURSORS + 1


def waiting_again(type: TypeName, priority: int, seconds: float, id: int) -> Task:
    return submission(type, priority=priority, run_at=at(seconds)).registered(TaskId(id))


def test_a_cursor_steps_back_to_a_task_that_waits_again():
    cursors = ClaimCursors()
    cursors.full_claim_ended(now=5, seconds=0.1)
    cursors.advance(claimed((ADD, 9, -3), (ADD, 0, -3), (ADD, 0, -2), (ADD, 0, -1)))
    cursors.step_back([waiting_again(ADD, 0, -1, id=4), waiting_again(ADD, 0, -2, id=3)])
    assert cursors.usable(5) == {(ADD, 9): Cursor(at(-3), TaskId(1)), (ADD, 0): Cursor(at(-2), TaskId(2))}


def test_a_cursor_never_steps_forward_to_a_task_that_waits_again():
    cursors = ClaimCursors()
    cursors.full_claim_ended(now=5, seconds=0.1)
    cursors.advance(claimed((ADD, 0, -3)))
    cursors.step_back([waiting_again(ADD, 0, -1, id=7), waiting_again(OTHER, 0, -1, id=8)])
    assert cursors.usable(5) == {(ADD, 0): Cursor(at(-3), TaskId(1))}


def test_the_answer_of_a_claim_under_way_does_not_pass_a_task_that_waits_again():
    cursors = ClaimCursors()
    cursors.full_claim_ended(now=5, seconds=0.1)
    cursors.advance(claimed((ADD, 0, -3)))
    cursors.step_back([waiting_again(ADD, 0, -3, id=1)])
    cursors.advance(claimed((ADD, 0, -2)))
    assert cursors.usable(5) == {(ADD, 0): Cursor(at(-3), TaskId(0))}
    cursors.advance(claimed((ADD, 0, -2)))
    assert cursors.usable(5) == {(ADD, 0): Cursor(at(-2), TaskId(1))}
