"""The death of a handler: which of its tasks are charged, and which become suspects."""

from dataclasses import replace

import pytest

from domain.handler_death import settlements_after_death
from domain.ids import HandlerId, TaskId
from domain.lease import Lease
from domain.settlement import Outcome
from domain.status import Status
from domain.task import Task
from tests.steps import BOOM, NOW, PLAIN, at, submission

LEASE = Lease.granted(HandlerId("handler-1"), NOW, 30)
INNOCENT = submission(max_attempts=3).registered(TaskId(1))
SUSPECT = replace(INNOCENT, id=TaskId(2), suspect=True)


def started(task: Task) -> Task:
    return task.claim(LEASE).reported(NOW, None)


def after_death(*tasks: Task) -> list[Task]:
    return [settlement.task for settlement in settlements_after_death(tasks, at(1))]


def test_a_death_without_a_suspect_charges_all_started_tasks_and_suspects_them():
    others = [started(replace(INNOCENT, id=TaskId(id))) for id in (1, 2, 3)]
    assert after_death(*others) == [task.suspected().lose(at(1)) for task in others]


def test_a_death_with_a_suspect_charges_the_suspect_alone_and_suspects_its_neighbours():
    """A neighbour may be a second killer, which would otherwise start beside the same innocent suspect again."""
    neighbour, suspect = after_death(started(INNOCENT), started(SUSPECT))
    assert suspect == started(SUSPECT).lose(at(1))
    assert (neighbour.status, neighbour.attempt, neighbour.losses) == (Status.WAITING, 0, 0)
    assert neighbour.suspect


def test_every_started_task_of_a_dead_handler_has_a_record():
    settlements = settlements_after_death([started(INNOCENT), started(SUSPECT)], at(1))
    assert [each.attempt and each.attempt.outcome for each in settlements] == [Outcome.LOST] * 2


@pytest.mark.parametrize("max_losses", [0, 3])
def test_a_claim_that_had_not_started_is_released_and_not_suspected(max_losses: int):
    claimed = replace(INNOCENT, max_losses=max_losses).claim(LEASE)
    assert after_death(claimed, started(SUSPECT))[0] == claimed.release(at(1))


def test_a_suspect_that_had_not_started_explains_nothing():
    innocent, suspect = after_death(started(INNOCENT), SUSPECT.claim(LEASE))
    assert (innocent.losses, suspect.losses) == (1, 0)


def test_a_spared_task_that_may_never_start_twice_fails_as_lost():
    failed, _ = after_death(started(replace(INNOCENT, max_losses=0)), started(SUSPECT))
    assert (failed.status, failed.error and failed.error.type) == (Status.FAILED, "Lost")


def test_a_drained_start_is_a_loss_and_no_suspicion():
    drained = started(INNOCENT).lose(at(1))
    assert (drained.losses, drained.suspect) == (1, False)


def test_a_suspicion_lasts_over_failures_and_releases_until_a_retry():
    failed = started(SUSPECT).fail(at(1), BOOM, PLAIN, 0)
    assert failed.suspect
    assert failed.claim(LEASE).release(at(2)).suspect
    assert not failed.cancel(at(3)).retry(at(4), 1).suspect


def test_a_neighbour_survives_two_killers_that_strike_together():
    """With `max_losses` 1: all three are charged once, and from then on each is alone among suspects."""
    tasks = [started(replace(INNOCENT, id=TaskId(id), max_losses=1)) for id in (1, 2, 3)]
    neighbour, *killers = after_death(*tasks)
    assert [after_death(started(killer))[0].status for killer in killers] == [Status.FAILED] * 2
    assert started(neighbour).succeed(at(2)).status is Status.DONE
