"""The loop that sends callbacks, a few at a time, on threads of its own, so that slow receivers delay no chore."""

import logging
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from threading import Event, Lock, Semaphore, Thread

from application.errors import StorageUnavailable, driver_message
from application.isolation import log_once
from application.log_lines import keys
from application.use_cases.claim_deliveries import ClaimDeliveries
from application.use_cases.deliver import Deliver
from domain.delivery import Delivery, DeliveryState

MAX_SENDERS = 8
MIN_REST_SECONDS, MAX_REST_SECONDS = 1.0, 10.0
STOP_SECONDS = 12.0
"""Seconds that `close` waits for callbacks under way; another janitor repeats one that takes longer."""
log = logging.getLogger(__name__)


class WebhookLoop:
    """A thread that claims due deliveries, and a thread for each delivery under way."""

    def __init__(self, claim: ClaimDeliveries, deliver: Deliver, rest: float = MIN_REST_SECONDS) -> None:
        self._claim = claim
        self._deliver = deliver
        self._free_senders = Semaphore(MAX_SENDERS)
        self._stopped = Event()
        self._usual_rest = self._rest = rest
        self._attempts: Counter[DeliveryState] = Counter()
        self._attempts_lock = Lock()
        self._thread = Thread(target=self._run, name="webhook loop", daemon=True)

    def start(self) -> None:
        """Start claiming and sending."""
        self._thread.start()

    def attempts(self) -> Mapping[DeliveryState, int]:
        """The number of attempts by the state of the delivery after each. From any thread."""
        with self._attempts_lock:
            return self._attempts.copy()

    def close(self) -> None:
        """Claim nothing more, and wait for the deliveries under way."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        end = time.monotonic() + STOP_SECONDS
        self._thread.join(STOP_SECONDS)
        for _ in range(MAX_SENDERS):
            self._free_senders.acquire(timeout=max(0.0, end - time.monotonic()))

    def _run(self) -> None:
        while not self._stopped.is_set():
            if not self._try_round():
                self._stopped.wait(self._rest * random.uniform(0.75, 1.25))

    def _try_round(self) -> bool:
        """Claim and send. Whether to try again at once: something was claimed, or no sender was free."""
        senders = self._acquire_senders()
        claimed = self._try_claim(senders) if senders else []
        for delivery in claimed:
            Thread(target=self._send, args=(delivery,), name="webhook sender", daemon=True).start()
        for _ in range(senders - len(claimed)):
            self._free_senders.release()
        return bool(claimed) or not senders

    def _acquire_senders(self) -> int:
        """Acquire all senders that are free, waiting a moment for the first. How many there are."""
        senders = int(self._free_senders.acquire(timeout=MIN_REST_SECONDS))
        while 0 < senders < MAX_SENDERS and self._free_senders.acquire(blocking=False):
            senders += 1
        return senders

    def _try_claim(self, limit: int) -> Sequence[Delivery]:
        try:
            claimed = self._claim(limit)
        except StorageUnavailable as error:
            self._rest = min(self._rest * 2, MAX_REST_SECONDS)
            log.warning(
                "no callback is sent while the database is away, trying again in %.1f s: %s",
                self._rest,
                driver_message(error),
            )
            return []
        except Exception as error:
            self._rest = min(self._rest * 2, MAX_REST_SECONDS)
            log_once(log, f"no callback can be claimed: {driver_message(error)}", error)
            return []
        self._rest = self._usual_rest
        return claimed

    def _send(self, claimed: Delivery) -> None:
        name, extra = f"{claimed.subject} {claimed.id}", keys(**{claimed.subject: claimed.id})
        try:
            delivery = self._deliver(claimed)
            self._count(delivery)
            if delivery and delivery.state is DeliveryState.GIVEN_UP:
                log.warning("the callback of %s is given up: %s", name, delivery.error, extra=extra)
        except StorageUnavailable as error:
            why = driver_message(error)
            log.warning("the outcome of the callback of %s cannot be stored: %s", name, why, extra=extra)
        except Exception:
            log.exception("the callback of %s failed and will be tried again", name, extra=extra)
        finally:
            self._free_senders.release()

    def _count(self, delivery: Delivery | None) -> None:
        """Count an attempt, unless another claim, a retry or a deletion has replaced its delivery."""
        if delivery:
            with self._attempts_lock:
                self._attempts[delivery.state] += 1
