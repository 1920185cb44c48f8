"""The loops of a janitor: each chore on a thread of its own, so that none ends or delays another."""

import logging
import os
import random
import select
import time
from collections.abc import Mapping
from threading import Thread

from application.errors import StorageUnavailable, driver_message
from application.isolation import log_once
from entrypoints.janitor.chores import Chore

MIN_REST_SECONDS = 1.0
MAX_REST_SECONDS = 10.0
STOP_SECONDS = 5.0
"""Seconds that a stopping janitor waits for the batches under way; one that takes longer is rolled back."""
log = logging.getLogger(__name__)


class ChoreLoops:
    """Does the chores, by their names, until stopped."""

    def __init__(self, chores: Mapping[str, Chore], lease: float) -> None:
        self._stop_reader, self._stop_writer = os.pipe()
        self._loops = [ChoreLoop(name, chore, lease, self._stop_reader) for name, chore in chores.items()]

    def stop(self) -> None:
        """Stop after the current batches. Takes no lock, so a signal handler may call it at any moment."""
        os.write(self._stop_writer, b".")

    def run(self) -> None:
        """Do the chores until stopped."""
        threads = [Thread(target=loop.run, name=loop.name, daemon=True) for loop in self._loops]
        for thread in threads:
            thread.start()
        select.select([self._stop_reader], [], [])
        end = time.monotonic() + STOP_SECONDS
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))


class ChoreLoop:
    """Does one chore until the stop pipe is readable. A failure of any kind only makes the rests longer."""

    def __init__(self, name: str, chore: Chore, lease: float, stop_pipe: int) -> None:
        self.name = name
        self._chore = chore
        self._stop_pipe = stop_pipe
        # The rescue guard permits no rescue by a janitor that looks less often than every half lease.
        self._usual_rest = self._longest_rest = min(MIN_REST_SECONDS, lease / 4)

    def run(self) -> None:
        """Do batches until stopped, and rest while no more work is known."""
        rest = 0.0
        while not self._is_stopped_within(rest):
            rest = min(self._try_batch(), self._longest_rest * random.uniform(0.75, 1.25))

    def _is_stopped_within(self, seconds: float) -> bool:
        return bool(select.select([self._stop_pipe], [], [], seconds)[0])

    def _try_batch(self) -> float:
        """Do one batch. The seconds until there is more to do; those of the longest rest after a failure."""
        try:
            more_in = self._chore()
            self._longest_rest = self._usual_rest
            return more_in
        except StorageUnavailable as error:
            self._longest_rest = min(self._longest_rest * 2, MAX_REST_SECONDS)
            message = driver_message(error)
            log.warning("%s: the database is away, trying again in %.1f s: %s", self.name, self._longest_rest, message)
        except Exception as error:
            self._longest_rest = min(self._longest_rest * 2, MAX_REST_SECONDS)
            log_once(log, f"{self.name} failed, and is tried again: {driver_message(error)}", error)
        return self._longest_rest
