"""The rounds of a janitor: everything that is to do, then a rest."""

import logging
import os
import random
import select
from collections.abc import Sequence

from application.errors import StorageUnavailable
from application.use_cases import clean, take_back
from application.use_cases.bury import Bury
from application.use_cases.clean import Clean
from application.use_cases.rescue import Rescue
from entrypoints.process import why

REST = 1.0
LONGEST_REST = 10.0
log = logging.getLogger(__name__)


class Rounds:
    """Goes round until stopped; an outage of the database makes the rests longer, and nothing else."""

    def __init__(self, clean: Clean, rescue: Rescue, bury: Bury, lease: float) -> None:
        self._clean = clean
        self._rescue = rescue
        self._bury = bury
        self._stop_reader, self._stop_writer = os.pipe()
        # Who looks less often than the vigil allows never takes anything back.
        self._usual_rest = self._rest = min(REST, lease / 4)

    def stop(self) -> None:
        """Finish the batch at hand. Takes no lock, so a signal's handler may call it at any moment."""
        os.write(self._stop_writer, b".")

    def run(self) -> None:
        """Until stopped."""
        while not self._is_stopped_within(0):
            self._try_round()
            self._is_stopped_within(self._rest * random.uniform(0.75, 1.25))

    def _is_stopped_within(self, seconds: float) -> bool:
        return bool(select.select([self._stop_reader], [], [], seconds)[0])

    def _try_round(self) -> None:
        try:
            while self._go_round() and not self._is_stopped_within(0):
                pass
            self._rest = self._usual_rest
        except StorageUnavailable as error:
            self._rest = min(self._rest * 2, LONGEST_REST)
            log.warning("the database is away, trying again in %.1f s: %s", self._rest, why(error))

    def _go_round(self) -> bool:
        """One batch of each; whether a batch was full, so that there may be more."""
        expired = self._clean()
        if expired.deleted:
            log.info("deleted %d expired tasks", expired.deleted)
        if expired.unrun:
            log.warning("%d of them still waited: %s", len(expired.unrun), shown(expired.unrun))
        taken_back = max(len(self._bury()), len(self._rescue()))
        return expired.deleted >= clean.BATCH or taken_back >= take_back.BATCH


def shown(ids: Sequence[int], most: int = 20) -> str:
    """The first few ids."""
    return ", ".join(map(str, ids[:most])) + (", …" if len(ids) > most else "")
