"""Pass on: give back what does not fit the functions here and fits those of another handler, and settle the rest.

So it is in the middle of an update, while two versions of a function are alive.
"""

import logging
import random
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from itertools import islice
from math import inf

from application.errors import StorageConflict, StorageUnavailable
from application.ports.argument_checker import ArgumentChecker
from application.ports.published_types import REMEMBERED
from application.rescue_guard import Vigil
from application.supervisor.background import Courier
from application.supervisor.claimed import Unfit
from application.supervisor.operations.operation import Office
from domain import json_text
from domain.ids import Hold, TypeName
from domain.retry import RetryPolicy
from domain.settlement import Settlement
from domain.task import Task

MOST = 100
PAUSE = RetryPolicy(first=1, cap=8, spread=0.5)
"""How long others have to claim what is passed on; longer each time, as it may come back to this handler."""

log = logging.getLogger(__name__)


class PassOn:
    """Due as soon as there is something unfit. `vigil` is kept by turns with whoever else this courier is sent by.

    Only what its own schema refuses goes to another: two handlers whose schemas both allow what their functions refuse
    would pass it to and fro for ever.
    """

    def __init__(self, office: Office, checker: ArgumentChecker, vigil: Vigil) -> None:
        self._office = office
        self._desk = office.desk
        self._checker = checker
        self._vigil = vigil

    def due_in(self) -> float:
        return 0 if self._desk.held.unfit else inf

    def send(self, courier: Courier) -> None:
        batch = list(islice(self._desk.held.unfit.values(), MOST))
        here = {type.name: type.schema for type in self._desk.types}

        def errand() -> Set[Hold]:
            elsewhere = self._elsewhere({unfit.held.task.type for unfit in batch})
            return {unfit.held.hold for unfit in batch if self._is_for_others(unfit, here, elsewhere)}

        courier.send(errand, lambda for_others: self._settle(batch, for_others))

    def _elsewhere(self, types: Set[TypeName]) -> Mapping[TypeName, Set[str]]:
        """The schemas of other handlers that live, or may have been kept from saying so."""
        try:
            return self._asked(types)
        except StorageConflict:
            raise
        except StorageUnavailable:
            self._vigil.broken()
            raise

    def _asked(self, types: Set[TypeName]) -> Mapping[TypeName, Set[str]]:
        self._vigil.begin()
        now, me = self._desk.clock.now(), self._office.identity.handler
        with self._office.begin() as work:
            alive = {type: work.types.elsewhere(type, me, now) for type in types}
            self._vigil.end()
            if self._vigil.has_lasted:
                return alive
            return {type: work.types.elsewhere(type, me, now - REMEMBERED) for type in types}

    def _is_for_others(
        self, unfit: Unfit, here: Mapping[TypeName, str], elsewhere: Mapping[TypeName, Set[str]]
    ) -> bool:
        type = unfit.held.task.type
        try:
            return self._is_for(elsewhere[type], unfit.held.args, here.get(type))
        except Exception:
            # Whoever publishes what cannot be checked must not hold up everybody's outcomes.
            log.exception("whether another handler can run task %d cannot be told", unfit.held.task.id)
            return False

    def _is_for(self, others: Set[str], text: str, own: str | None) -> bool:
        if not others - {own}:
            return False
        args = json_text.parse(text)
        fits_here = own is not None and not self._checker.errors(own, args)
        return not fits_here and any(not self._checker.errors(each, args) for each in others)

    def _settle(self, batch: Sequence[Unfit], for_others: Set[Hold]) -> None:
        """Whatever has not been lost meanwhile."""
        for unfit in batch:
            if self._desk.held.unfit.pop(unfit.held.hold, None):
                is_for_others = unfit.held.hold in for_others
                self._desk.settle(unfit.held, self._passed_on if is_for_others else unfit.otherwise)
        if for_others:
            log.info("passed on %d tasks that fit the functions of another handler", len(for_others))

    def _passed_on(self, task: Task, now: datetime) -> Settlement:
        return Settlement.passed_on(task, now, PAUSE.delay(task.idle_claims + 1, random.random()))
