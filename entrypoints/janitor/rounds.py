"""The rounds of a janitor: every chore has a turn, then the janitor rests."""

import logging
import os
import random
import select
import time
from collections.abc import Sequence
from math import inf

from application.errors import StorageUnavailable
from entrypoints.janitor.chores import Chore
from entrypoints.startup import driver_message

MIN_REST_SECONDS = 1.0
MAX_REST_SECONDS = 10.0
MAX_TURN_SECONDS = 0.1
"""Seconds after which a chore with more to do yields to the next one."""
log = logging.getLogger(__name__)


class Rounds:
    """Goes round the chores until stopped. An outage of the database only makes the rests longer."""

    def __init__(self, chores: Sequence[Chore], lease: float) -> None:
        self._chores = chores
        self._stop_reader, self._stop_writer = os.pipe()
        # The rescue guard permits no rescue by a janitor that looks less often than every half lease.
        self._usual_rest = self._longest_rest = min(MIN_REST_SECONDS, lease / 4)

    def stop(self) -> None:
        """Stop after the current batch. Takes no lock, so a signal handler may call it at any moment."""
        os.write(self._stop_writer, b".")

    def run(self) -> None:
        """Go round until stopped."""
        rest = 0.0
        while not self._is_stopped_within(rest):
            rest = min(self._try_round(), self._longest_rest * random.uniform(0.75, 1.25))

    def _is_stopped_within(self, seconds: float) -> bool:
        return bool(select.select([self._stop_reader], [], [], seconds)[0])

    def _try_round(self) -> float:
        """Do one round. The seconds until there is more to do; inf where that is unknown."""
        try:
            more_in = min([self._turn(chore) for chore in self._chores])
            self._longest_rest = self._usual_rest
            return more_in
        except StorageUnavailable as error:
            self._longest_rest = min(self._longest_rest * 2, MAX_REST_SECONDS)
            log.warning("the database is away, trying again in %.1f s: %s", self._longest_rest, driver_message(error))
            return inf

    def _turn(self, chore: Chore) -> float:
        """Do batches of a chore while it has more to do, for the time of a turn at most."""
        end = time.monotonic() + MAX_TURN_SECONDS
        while True:
            more_in = chore()
            if more_in or time.monotonic() >= end or self._is_stopped_within(0):
                return more_in
