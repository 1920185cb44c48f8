"""Admission of claimed tasks: those that this handler must not run are given back."""

from collections.abc import Sequence

from application.supervisor.claimed_tasks import ClaimedTask
from application.supervisor.operations.reroute import rerouted
from application.supervisor.state import SupervisorState


def admitted(state: SupervisorState, claimed: Sequence[ClaimedTask]) -> Sequence[ClaimedTask]:
    """The tasks that this handler keeps. The others are given back, or rerouted."""
    return _without_further_suspects(state, _without_collisions(state, claimed))


def _without_further_suspects(state: SupervisorState, claimed: Sequence[ClaimedTask]) -> Sequence[ClaimedTask]:
    """Reroute all suspects but one, so that the death of this handler tells which suspect it was."""
    suspects = [each.task for each in claimed if each.task.suspect]
    further = suspects[0 if state.holds_suspect() else 1 :] if suspects else []
    if not further:
        return claimed
    state.outbox.fresh.extend([rerouted(task, state.now) for task in further])
    given_back = {task.id for task in further}
    return [each for each in claimed if each.task.id not in given_back]


def _without_collisions(state: SupervisorState, claimed: Sequence[ClaimedTask]) -> Sequence[ClaimedTask]:
    """Give back claims whose holds are known already, and drop the tasks that were known by them.

    Claims are numbered upwards, so that only a failover which lost the earlier claim can repeat a hold.
    """
    holds = {each.hold for each in claimed}
    if holds.isdisjoint(state.known_holds() if holds else ()):
        return claimed
    colliding = holds.intersection(state.known_holds())
    state.drop_lost([*colliding])
    state.release(each.task for each in claimed if each.hold in colliding)
    return [each for each in claimed if each.hold not in colliding]
