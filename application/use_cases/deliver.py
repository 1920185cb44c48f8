"""Deliver: send the message that a task has finished to its callback address, and store the result."""

import logging
import random
from collections.abc import Callable
from typing import assert_never

from application.conflict_retry import retry_on_conflict
from application.errors import StorageUnavailable
from application.isolation import log_once
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin
from application.ports.webhooks import Delivered, Failed, Gone, WebhookSender
from application.view import View, Viewer
from domain.delivery import Delivery

MAX_MESSAGE_BYTES = 1024 * 1024
"""Limit of a message in bytes. A longer one is sent without the arguments and the result, which are not read then."""
log = logging.getLogger(__name__)


class Deliver:
    """Delivers at least once: a message whose result could not be stored is sent again.

    `message` makes the body from the view of a finished task.
    """

    def __init__(
        self,
        begin: Begin,
        clock: Clock,
        webhook_sender: WebhookSender,
        viewer: Viewer,
        message: Callable[[View], bytes],
    ) -> None:
        self._begin = begin
        self._clock = clock
        self._webhook_sender = webhook_sender
        self._viewer = viewer
        self._message = message

    def __call__(self, claimed: Delivery) -> Delivery | None:
        """The delivery after this attempt; None where another claim, a retry or a deletion has replaced it."""
        attempted = self._tried(claimed)
        return attempted if attempted and self._settle(attempted) else None

    def _tried(self, claimed: Delivery) -> Delivery | None:
        """The delivery after this attempt, which fails like any other where its message cannot be made or sent."""
        try:
            view = self._view(claimed)
            return self._attempted(claimed, self._message(view)) if view else None
        except StorageUnavailable:
            raise
        except Exception as error:
            log_once(log, f"the callback of task {claimed.task} cannot be sent", error)
            return claimed.failed(
                self._clock.now(), f"the message cannot be sent: {type(error).__name__}", random.random()
            )

    @retry_on_conflict
    def _view(self, claimed: Delivery) -> View | None:
        with self._begin() as work:
            stored = work.tasks.get(claimed.task, MAX_MESSAGE_BYTES)
        is_current = stored and stored.delivery and stored.delivery.claim == claimed.claim
        return self._viewer(stored) if stored and is_current else None

    def _attempted(self, claimed: Delivery, body: bytes) -> Delivery:
        result = self._webhook_sender.send(claimed.url, claimed.event, self._clock.now(), body)
        match result:
            case Delivered():
                return claimed.delivered()
            case Gone(why):
                return claimed.given_up(why)
            case Failed(why):
                return claimed.failed(self._clock.now(), why, random.random())
            case _:
                assert_never(result)

    @retry_on_conflict
    def _settle(self, attempted: Delivery) -> bool:
        with self._begin() as work:
            settled = work.deliveries.settle(attempted)
            work.commit()
        return settled
