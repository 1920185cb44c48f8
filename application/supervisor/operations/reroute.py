"""Reroute tasks that this handler's functions refuse to handlers whose functions take them, and settle the others.

Such tasks come in the middle of an update, while two versions of a function are alive.
"""

import logging
import random
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from itertools import islice
from math import inf

from application.json.parsing import parse
from application.log_lines import keys_of
from application.ports.argument_checker import ArgumentChecker
from application.ports.background import BackgroundRunner
from application.ports.published_types import DEAD_HANDLER_RETENTION
from application.rescue_guard import RescueGuard
from application.supervisor.claimed_tasks import UnfitTask
from application.supervisor.operations.operation import Context
from domain.ids import Hold, TypeName
from domain.retry import RetryPolicy
from domain.settlement import Settlement
from domain.task import Task

BATCH_TASKS = 100
PAUSE_POLICY = RetryPolicy(first=1, cap=8, spread=0.5)
"""Seconds before a rerouted task is due again; more each time, as it may come back to this handler."""

log = logging.getLogger(__name__)


class Reroute:
    """Due as soon as there is an unfit task.

    `guard` is that of the rescue of lapsed tasks, which must be in the same lane: two threads may not use it at once.

    Only arguments that this handler's own schema refuses are rerouted: two handlers whose schemas both allow what their
    functions refuse would reroute a task to each other for ever.
    """

    def __init__(self, context: Context, checker: ArgumentChecker, guard: RescueGuard) -> None:
        self._context = context
        self._state = context.state
        self._checker = checker
        self._guard = guard

    def due_in(self) -> float:
        return 0 if self._state.claimed_tasks.unfit else inf

    def send(self, runner: BackgroundRunner) -> None:
        batch = list(islice(self._state.claimed_tasks.unfit.values(), BATCH_TASKS))
        here = {type.name: type.schema for type in self._state.types}

        def call() -> Set[Hold]:
            elsewhere = self._schemas_elsewhere({unfit.claimed.task.type for unfit in batch})
            return {unfit.claimed.hold for unfit in batch if self._fits_elsewhere(unfit, here, elsewhere)}

        runner.submit(call, lambda fit_elsewhere: self._settle(batch, fit_elsewhere))

    def _schemas_elsewhere(self, types: Set[TypeName]) -> Mapping[TypeName, Set[str]]:
        """The schemas of other handlers that are alive, or that may have been kept from renewing their record."""
        now, me = self._state.clock.now(), self._context.identity.handler
        alive_at = now if self._guard.has_lasted else now - DEAD_HANDLER_RETENTION
        with self._context.begin() as work:
            return {type: work.types.schemas_elsewhere(type, me, alive_at) for type in types}

    def _fits_elsewhere(
        self, unfit: UnfitTask, here: Mapping[TypeName, str], elsewhere: Mapping[TypeName, Set[str]]
    ) -> bool:
        type = unfit.claimed.task.type
        try:
            return self._fits_only(elsewhere[type], unfit.claimed.args, here.get(type))
        except Exception:
            # A published schema that cannot be checked must not hold up all outcomes.
            task = unfit.claimed.task
            log.exception("cannot check whether another handler can run task %d", task.id, extra=keys_of(task))
            return False

    def _fits_only(self, others: Set[str], text: str, own: str | None) -> bool:
        if not others - {own}:
            return False
        args = parse(text)
        fits_here = own is not None and not self._checker.errors(own, args)
        return not fits_here and any(not self._checker.errors(each, args) for each in others)

    def _settle(self, batch: Sequence[UnfitTask], fit_elsewhere: Set[Hold]) -> None:
        """Put settlements of the tasks that have not been lost meanwhile into the outbox."""
        for unfit in batch:
            if self._state.claimed_tasks.unfit.pop(unfit.claimed.hold, None):
                fits_elsewhere = unfit.claimed.hold in fit_elsewhere
                self._state.settle(unfit.claimed, rerouted if fits_elsewhere else unfit.fallback_settlement)
        if fit_elsewhere:
            log.info("rerouted %d tasks that fit the functions of another handler", len(fit_elsewhere))


def rerouted(task: Task, now: datetime) -> Settlement:
    """The settlement of a task that another handler is to run."""
    return Settlement.rerouted(task, now, PAUSE_POLICY.delay(task.idle_claims + 1, random.random()))
