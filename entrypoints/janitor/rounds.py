"""The rounds of a janitor: everything that is to do, then a rest."""

import logging
import os
import random
import select
import time
from collections.abc import Sequence
from math import inf

from application.errors import StorageUnavailable
from entrypoints.janitor.chores import Chore
from entrypoints.process import why

MIN_REST_SECONDS = 1.0
MAX_REST_SECONDS = 10.0
MAX_TURN_SECONDS = 0.1
"""Seconds for which a chore that has more to do goes on before the next one has its turn."""
log = logging.getLogger(__name__)


class Rounds:
    """Goes round until stopped; an outage of the database makes the rests longer, and nothing else."""

    def __init__(self, chores: Sequence[Chore], lease: float) -> None:
        self._chores = chores
        self._stop_reader, self._stop_writer = os.pipe()
        # Who looks less often than the vigil of a rescue allows never takes anything back.
        self._usual_rest = self._longest_rest = min(MIN_REST_SECONDS, lease / 4)

    def stop(self) -> None:
        """Finish the batch at hand. Takes no lock, so a signal's handler may call it at any moment."""
        os.write(self._stop_writer, b".")

    def run(self) -> None:
        """Until stopped."""
        rest = 0.0
        while not self._is_stopped_within(rest):
            rest = min(self._try_round(), self._longest_rest * random.uniform(0.75, 1.25))

    def _is_stopped_within(self, seconds: float) -> bool:
        return bool(select.select([self._stop_reader], [], [], seconds)[0])

    def _try_round(self) -> float:
        """In how many seconds there is more to do, as far as anybody knows."""
        try:
            more_in = min([self._turn(chore) for chore in self._chores])
            self._longest_rest = self._usual_rest
            return more_in
        except StorageUnavailable as error:
            self._longest_rest = min(self._longest_rest * 2, MAX_REST_SECONDS)
            log.warning("the database is away, trying again in %.1f s: %s", self._longest_rest, why(error))
            return inf

    def _turn(self, chore: Chore) -> float:
        """A batch, and more of them where there is more at once."""
        end = time.monotonic() + MAX_TURN_SECONDS
        while True:
            more_in = chore()
            if more_in or time.monotonic() >= end or self._is_stopped_within(0):
                return more_in
