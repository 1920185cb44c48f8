"""The queue of one child: how many more runs may stand in it, and which ones are removed."""

import pytest

from adapters.executors.process.pool.dispatched_run import DispatchedRun
from adapters.executors.process.pool.run_queue import MAX_QUEUED_RUNS, QUEUE_SECONDS, SHORT_RUN_SECONDS, RunQueue
from application.ports.executor import Run
from domain.ids import Claim, HandlerId, Hold, TaskId, TypeName


def queue(*seconds: float) -> RunQueue:
    """A queue of runs that are expected to take so long."""
    queue = RunQueue()
    for number, each in enumerate(seconds, 1):
        hold = Hold(TaskId(number), Claim(1), HandlerId("handler-1"))
        queue.append(DispatchedRun(number, Run(hold, TypeName("add"), 1, "{}"), each))
    return queue


def numbers(queue: RunQueue) -> list[int]:
    return [each.number for each in queue.runs]


def test_an_empty_queue_takes_one_run() -> None:
    assert queue().capacity == 1


def test_many_runs_may_stand_behind_very_short_ones() -> None:
    assert queue(0, 0, 0).capacity == MAX_QUEUED_RUNS - 3
    assert queue(*[0] * MAX_QUEUED_RUNS).capacity == 0


def test_one_run_may_stand_behind_a_short_one_and_none_behind_a_long_one() -> None:
    assert queue(QUEUE_SECONDS).capacity == 1
    assert queue(QUEUE_SECONDS, 0).capacity == 0
    assert queue(SHORT_RUN_SECONDS).capacity == 0


def test_a_queue_is_overloaded_with_two_runs_that_are_not_very_short() -> None:
    assert queue(QUEUE_SECONDS, 0).is_overloaded
    assert not queue(QUEUE_SECONDS).is_overloaded
    assert not queue(0, 0).is_overloaded


def test_a_run_that_ends_is_removed_wherever_it_stands() -> None:
    runs = queue(1, 2, 4)
    runs.end(runs.runs[1])
    assert (numbers(runs), runs.seconds, runs.ended_count) == ([1, 3], 5, 1)


def test_an_emptied_queue_expects_no_time() -> None:
    runs = queue(0.1, 0.2)
    for run in list(runs.runs):
        runs.end(run)
    assert (runs.seconds, runs.ended_count) == (0, 2)


@pytest.mark.parametrize(("removed", "kept"), [([2, 3], [1]), ([], [1, 2, 3]), ([1, 2, 3, 4], [])])
def test_removed_runs_are_answered_and_the_others_stay(removed: list[int], kept: list[int]) -> None:
    runs = queue(1, 2, 4)
    answered = runs.remove(removed)
    assert sorted([each.number for each in answered] + kept) == [1, 2, 3]
    assert (numbers(runs), runs.ended_count) == (kept, 0)
    assert runs.seconds == sum((1, 2, 4)[number - 1] for number in kept)


def test_a_cleared_queue_answers_all_its_runs() -> None:
    runs = queue(1, 2)
    assert [each.number for each in runs.clear()] == [1, 2]
    assert (numbers(runs), runs.seconds) == ([], 0)
