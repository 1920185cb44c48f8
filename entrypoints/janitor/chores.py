"""The chores of a janitor: each does one batch at a time."""

import logging
import time
from collections.abc import Callable
from math import inf

from application.log_lines import log_expired
from application.use_cases import fold_counts, forget_types, settle_lost
from application.use_cases.clean import Clean
from application.use_cases.fold_counts import FoldCounts
from application.use_cases.forget_dead_handlers import ForgetDeadHandlers
from application.use_cases.forget_types import ForgetTypes
from application.use_cases.renew_janitor import RenewJanitor
from application.use_cases.rescue import Rescue
from application.use_cases.rescue_from_dead_processes import RescueFromDeadProcesses
from application.use_cases.tick import Tick

Chore = Callable[[], float]
"""Does one batch. The seconds until there is more to do: 0 for at once, inf where that is unknown."""
SELDOM_SECONDS = 3.0
RENEWAL_SECONDS = 5.0
log = logging.getLogger(__name__)


def create_recurring_tasks(tick: Tick) -> Chore:
    """The chore that creates a task for each schedule that is due."""

    def chore() -> float:
        ticked = tick()
        for task in ticked.tasks:
            log.info("%s recurs: created task %d", task.type, task.id)
        return ticked.next_in

    return chore


def delete_expired_tasks(clean_batch: Clean) -> Chore:
    """The chore that deletes expired tasks."""

    def chore() -> float:
        expired = clean_batch()
        if expired.deleted:
            log.info("deleted %d expired tasks", expired.deleted)
        log_expired(log, expired.unrun)
        return 0 if expired.is_full else inf

    return chore


def forget_dead_handlers(forget: ForgetDeadHandlers) -> Chore:
    """The chore that forgets the handlers that died long ago."""

    def chore() -> float:
        forget()
        return inf

    return seldom(chore)


def forget_abandoned_types(forget_batch: ForgetTypes) -> Chore:
    """The chore that forgets the types that no handler and no task has."""

    def chore() -> float:
        forgotten = forget_batch()
        if forgotten:
            log.info("forgot the types that no handler and no task has: %s", ", ".join(forgotten))
        return 0 if len(forgotten) >= forget_types.BATCH_TYPES else inf

    return seldom(chore)


def renew_record(renew: RenewJanitor) -> Chore:
    """The chore that renews the record by which others know that this janitor lives."""

    def chore() -> float:
        renew()
        return inf

    return seldom(chore, RENEWAL_SECONDS)


def seldom(chore: Chore, rest: float = SELDOM_SECONDS) -> Chore:
    """The chore with rests of so many seconds, since nothing waits for it."""
    due = -inf

    def seldom_chore() -> float:
        nonlocal due
        if time.monotonic() < due:
            return inf
        more_in = chore()
        due = time.monotonic() + min(rest, more_in)
        return more_in

    return seldom_chore


def rescue_tasks(rescue_batch: RescueFromDeadProcesses | Rescue) -> Chore:
    """The chore that takes tasks back from dead handlers, so that others run them."""
    return lambda: 0 if len(rescue_batch()) >= settle_lost.BATCH_TASKS else inf


def fold_task_counts(fold_batch: FoldCounts) -> Chore:
    """The chore that folds the many entries of the counts of tasks into few."""
    return seldom(lambda: 0 if fold_batch() >= fold_counts.BATCH_ENTRIES else inf)
