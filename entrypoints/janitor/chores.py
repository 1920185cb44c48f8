"""What a janitor does in every round."""

import logging
from collections.abc import Callable, Sequence
from math import inf

from application.use_cases import clean, fold_counts, settle_lost
from application.use_cases.clean import Clean
from application.use_cases.fold_counts import FoldCounts
from application.use_cases.rescue import Rescue
from application.use_cases.rescue_from_dead_processes import RescueFromDeadProcesses
from application.use_cases.tick import Tick

Chore = Callable[[], float]
"""Does one batch, and answers in how many seconds there is more: 0 for at once, inf where nobody knows."""
log = logging.getLogger(__name__)


def ticking(tick: Tick) -> Chore:
    """What recurs becomes tasks."""

    def chore() -> float:
        ticked = tick()
        for task in ticked.tasks:
            log.info("%s recurs: task %d", task.type, task.id)
        return ticked.next_in

    return chore


def cleaning(cleans: Clean) -> Chore:
    """What has expired goes."""

    def chore() -> float:
        expired = cleans()
        if expired.deleted:
            log.info("deleted %d expired tasks", expired.deleted)
        if expired.unrun:
            log.warning("%d of them still waited: %s", len(expired.unrun), shown(expired.unrun))
        return 0 if expired.deleted >= clean.BATCH_TASKS else inf

    return chore


def taking_back(take: RescueFromDeadProcesses | Rescue) -> Chore:
    """What dead handlers held waits again."""
    return lambda: 0 if len(take()) >= settle_lost.BATCH_TASKS else inf


def folding(fold: FoldCounts) -> Chore:
    """What has piled up of the counts becomes little."""
    return lambda: 0 if fold() >= fold_counts.BATCH_ENTRIES else inf


def shown(ids: Sequence[int], most: int = 20) -> str:
    """The first few ids."""
    return ", ".join(map(str, ids[:most])) + (", …" if len(ids) > most else "")
