"""The postman of a janitor: tells addresses, a few at a time, beside the rounds, so that no slow one holds those up."""

import logging
import random
import time
from collections.abc import Sequence
from threading import Event, Semaphore, Thread

from application.errors import StorageUnavailable
from application.use_cases.claim_deliveries import ClaimDeliveries
from application.use_cases.deliver import Deliver
from domain.delivery import Delivery, DeliveryState
from entrypoints.process import why

MAX_SENDERS = 8
MIN_REST_SECONDS, MAX_REST_SECONDS = 1.0, 10.0
STOP_SECONDS = 12.0
"""Seconds to wait at the end for what is under way; who takes longer is told again by another janitor."""
log = logging.getLogger(__name__)


class WebhookLoop:
    """A thread that looks for what is due, and one for each message that is under way."""

    def __init__(self, claim: ClaimDeliveries, deliver: Deliver, rest: float = MIN_REST_SECONDS) -> None:
        self._claim = claim
        self._deliver = deliver
        self._free = Semaphore(MAX_SENDERS)
        self._stopped = Event()
        self._usual_rest = self._rest = rest
        self._thread = Thread(target=self._run, name="postman", daemon=True)

    def open(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Claim nothing more, and wait for what is under way."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        end = time.monotonic() + STOP_SECONDS
        self._thread.join(STOP_SECONDS)
        for _ in range(MAX_SENDERS):
            self._free.acquire(timeout=max(0.0, end - time.monotonic()))

    def _run(self) -> None:
        while not self._stopped.is_set():
            if not self._try_round():
                self._stopped.wait(self._rest * random.uniform(0.75, 1.25))

    def _try_round(self) -> bool:
        """Whether to look again at once: there was something to tell, or no place for it."""
        places = self._places()
        claimed = self._try_claim(places) if places else []
        for delivery in claimed:
            Thread(target=self._tell, args=(delivery,), name="sender", daemon=True).start()
        for _ in range(places - len(claimed)):
            self._free.release()
        return bool(claimed) or not places

    def _places(self) -> int:
        """Takes the places that are free; waits a moment for the first."""
        places = int(self._free.acquire(timeout=MIN_REST_SECONDS))
        while 0 < places < MAX_SENDERS and self._free.acquire(blocking=False):
            places += 1
        return places

    def _try_claim(self, places: int) -> Sequence[Delivery]:
        try:
            claimed = self._claim(places)
        except StorageUnavailable as error:
            self._rest = min(self._rest * 2, MAX_REST_SECONDS)
            log.warning("nobody is told while the database is away, trying again in %.1f s: %s", self._rest, why(error))
            return []
        self._rest = self._usual_rest
        return claimed

    def _tell(self, claimed: Delivery) -> None:
        try:
            told = self._deliver(claimed)
            if told and told.state is DeliveryState.GIVEN_UP:
                log.warning("task %d: its callback is given up, %s", told.task, told.error)
        except StorageUnavailable as error:
            log.warning("task %d: what came of its callback cannot be noted: %s", claimed.task, why(error))
        except Exception:
            log.exception("task %d: its callback failed, and is tried again", claimed.task)
        finally:
            self._free.release()
