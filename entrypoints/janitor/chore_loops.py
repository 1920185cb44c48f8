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
from application.outages import described
from entrypoints.janitor.chores import USUAL_REST_SECONDS, Chore

MAX_RETRY_SECONDS = 10.0
"""Seconds to which the rests of a chore that fails double, from at most twice USUAL_REST_SECONDS."""
STOP_SECONDS = 5.0
"""Seconds that a stopping janitor waits for the batches under way; one that takes longer is rolled back."""
log = logging.getLogger(__name__)


class ChoreLoops:
    """Does the chores, by their names, until stopped."""

    def __init__(self, chores: Mapping[str, Chore]) -> None:
        self._stop_reader, self._stop_writer = os.pipe()
        self._loops = [ChoreLoop(name, chore, self._stop_reader) for name, chore in chores.items()]
        self._by_name = {loop.name: loop for loop in self._loops}

    def stop(self) -> None:
        """Stop after the current batches. Takes no lock, so a signal handler may call it at any moment."""
        os.write(self._stop_writer, b".")

    def seconds_since(self, name: str) -> float:
        """The seconds since the last batch of a chore that has not failed; inf if there was none."""
        return time.monotonic() - self._by_name[name].succeeded_at

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
    """Does one chore until the stop pipe is readable, and sleeps while it is not due. A failure only delays it."""

    def __init__(self, name: str, chore: Chore, stop_pipe: int) -> None:
        self.name = name
        self._chore = chore
        self._stop_pipe = stop_pipe
        self._retry_seconds = self._least_retry_seconds = min(USUAL_REST_SECONDS, chore.rest)
        self.succeeded_at = float("-inf")

    def run(self) -> None:
        """Do batches until stopped, and rest while no more work is known."""
        rest = 0.0
        while not self._is_stopped_within(rest):
            rest = self._try_batch()

    def _is_stopped_within(self, seconds: float) -> bool:
        return bool(select.select([self._stop_pipe], [], [], seconds)[0])

    def _try_batch(self) -> float:
        """Do one batch. The seconds until the next one."""
        try:
            more_in = self._chore.batch()
        except Exception as error:
            self._retry_seconds = min(self._retry_seconds * 2, MAX_RETRY_SECONDS)
            self._log(error)
            return _jittered(self._retry_seconds)
        self._retry_seconds = self._least_retry_seconds
        self.succeeded_at = time.monotonic()
        return min(more_in, _jittered(self._chore.rest))

    def _log(self, error: Exception) -> None:
        if isinstance(error, StorageUnavailable):
            log.warning(
                "%s: the database is away, trying again in %.1f s: %s", self.name, self._retry_seconds, described(error)
            )
        else:
            log_once(log, f"{self.name} failed, and is tried again: {driver_message(error)}", error)


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(0.75, 1.25)
