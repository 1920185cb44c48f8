"""The chores of a janitor: each does one batch at a time."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from application.log_lines import keys_of, log_expired
from application.use_cases import assign_lanes as lanes
from application.use_cases import clean_batches, fold_counts, forget_types, settle_lost
from application.use_cases.assign_lanes import AssignLanes
from application.use_cases.clean import Clean
from application.use_cases.clean_batches import CleanBatches
from application.use_cases.finish_batches import FinishBatches
from application.use_cases.fold_counts import FoldCounts
from application.use_cases.fold_events import FoldEvents
from application.use_cases.forget_dead_handlers import ForgetDeadHandlers
from application.use_cases.forget_types import ForgetTypes
from application.use_cases.renew_janitor import RenewJanitor
from application.use_cases.rescue import Rescue
from application.use_cases.rescue_from_dead_processes import RescueFromDeadProcesses
from application.use_cases.tick import Tick
from application.use_cases.unblock_tasks import UnblockTasks

USUAL_REST_SECONDS = 1.0
LONG_REST_SECONDS, LONGEST_REST_SECONDS = 5.0, 10.0
"""Seconds between two batches of a chore for which little waits, and of one for which nothing does."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """A chore of a janitor.

    - `batch`: does one batch, and returns the seconds until there is more to do: 0 for at once, inf where that is
      unknown.
    - `rest`: the seconds until the next batch where that is unknown.
    """

    batch: Callable[[], float]
    rest: float = USUAL_REST_SECONDS


def create_recurring_tasks(tick: Tick) -> Chore:
    """The chore that creates a task for each schedule that is due."""

    def batch() -> float:
        ticked = tick()
        for task in ticked.tasks:
            log.info("%s recurs: created task %d", task.type, task.id, extra=keys_of(task))
        return ticked.next_in

    return Chore(batch)


def delete_expired_tasks(clean_batch: Clean) -> Chore:
    """The chore that deletes expired tasks."""

    def batch() -> float:
        expired = clean_batch()
        if expired.deleted:
            log.info("deleted %d expired tasks", expired.deleted)
        log_expired(log, expired.unrun, expired.traces)
        return 0 if expired.is_full else inf

    return Chore(batch)


def finish_batches(finish: FinishBatches) -> Chore:
    """The chore that folds the counts of batches, and finishes those whose last tasks have ended."""
    return Chore(lambda: 0 if finish.due() else inf)


def delete_expired_batches(clean_batch: CleanBatches) -> Chore:
    """The chore that deletes expired batches of which no task is left."""
    return Chore(lambda: 0 if clean_batch() >= clean_batches.BATCHES else inf, LONGEST_REST_SECONDS)


def unblock_tasks(unblock_batch: UnblockTasks) -> Chore:
    """The chore that decides on tasks whose parents have ended, where whatever ended these did not."""
    return Chore(lambda: 0 if unblock_batch().has_more else inf)


def forget_dead_handlers(forget: ForgetDeadHandlers) -> Chore:
    """The chore that forgets the handlers that died long ago."""

    def batch() -> float:
        forget()
        return inf

    return Chore(batch, LONGEST_REST_SECONDS)


def forget_abandoned_types(forget_batch: ForgetTypes) -> Chore:
    """The chore that forgets the types that no handler and no task has."""

    def batch() -> float:
        forgotten = forget_batch()
        if forgotten:
            log.info("forgot the types that no handler and no task has: %s", ", ".join(forgotten))
        return 0 if len(forgotten) >= forget_types.BATCH_TYPES else inf

    return Chore(batch, LONGEST_REST_SECONDS)


def assign_lanes(assign_batch: AssignLanes) -> Chore:
    """The chore that gives a lane to tasks that came to wait before their type had lanes.

    It reads all waiting tasks of such types, so it takes a hundredth of the time at most.
    """

    def batch() -> float:
        began = time.monotonic()
        is_full = assign_batch() >= lanes.BATCH_TASKS
        return 0 if is_full else max(LONGEST_REST_SECONDS, 100 * (time.monotonic() - began))

    return Chore(batch, LONGEST_REST_SECONDS)


def renew_record(renew: RenewJanitor) -> Chore:
    """The chore that renews the record by which others know that this janitor lives."""

    def batch() -> float:
        renew()
        return inf

    return Chore(batch, LONG_REST_SECONDS)


def rescue_from_dead(rescue_batch: RescueFromDeadProcesses) -> Chore:
    """The chore that takes tasks back from handlers of this machine whose processes have ended."""
    return Chore(lambda: 0 if len(rescue_batch()) >= settle_lost.BATCH_TASKS else inf)


def rescue_lapsed(rescue_batch: Rescue, lease: float) -> Chore:
    """The chore that takes tasks back whose leases have lapsed. It looks for leases less often while there are none."""

    def batch() -> float:
        if len(rescue_batch()) >= settle_lost.BATCH_TASKS:
            return 0
        return inf if rescue_batch.guard.sees_nothing else min(USUAL_REST_SECONDS, lease / 4)

    # The rescue guard permits no rescue by a janitor that looks less often than every half lease.
    return Chore(batch, min(LONG_REST_SECONDS, lease / 5))


def fold_task_counts(fold_batch: FoldCounts, fold_events: FoldEvents) -> Chore:
    """The chore that folds the many entries of the counts of tasks and events into few."""

    def batch() -> float:
        return 0 if max(fold_batch(), fold_events()) >= fold_counts.BATCH_ENTRIES else inf

    return Chore(batch, LONG_REST_SECONDS)
