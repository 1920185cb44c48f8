"""Deliver: send the message that a task or a batch has finished to its callback address, and store the result."""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from application.conflict_retry import retry_on_conflict
from application.errors import StorageUnavailable
from application.isolation import log_once
from application.ports.clock import Clock
from application.ports.task_repository import TaskRecord
from application.ports.unit_of_work import Begin
from application.ports.webhooks import Delivered, Failed, Gone, WebhookSender
from application.use_cases.view_batch import BatchView, view_of
from application.view import View, Viewer
from domain.delivery import Delivery, Subject
from domain.ids import BatchId, TaskId
from domain.traceparent import Traceparent

MAX_MESSAGE_BYTES = 1024 * 1024
"""Limit of a message in bytes. A longer one is sent without the arguments and the result, which are not read then."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Messages:
    """The functions that make the body of a message from the view of a finished task, and of a finished batch."""

    of_task: Callable[[View], bytes]
    of_batch: Callable[[BatchView], bytes]


class Deliver:
    """Delivers at least once: a message whose result could not be stored is sent again."""

    def __init__(
        self, begin: Begin, clock: Clock, webhook_sender: WebhookSender, viewer: Viewer, messages: Messages
    ) -> None:
        self._begin = begin
        self._clock = clock
        self._webhook_sender = webhook_sender
        self._viewer = viewer
        self._messages = messages

    def __call__(self, claimed: Delivery) -> Delivery | None:
        """The delivery after this attempt; None where another claim, a retry or a deletion has replaced it."""
        attempted = self._tried(claimed)
        return attempted if attempted and self._settle(attempted) else None

    def _tried(self, claimed: Delivery) -> Delivery | None:
        """The delivery after this attempt, which fails like any other where its message cannot be made or sent."""
        try:
            message = self._message(claimed)
            return self._attempted(claimed, *message) if message else None
        except StorageUnavailable:
            raise
        except Exception as error:
            values = {str(claimed.subject): claimed.id}
            log_once(log, f"the callback of {claimed.subject} {claimed.id} cannot be sent", error, **values)
            return claimed.failed(
                self._clock.now(), f"the message cannot be sent: {type(error).__name__}", random.random()
            )

    def _message(self, claimed: Delivery) -> tuple[bytes, Traceparent | None] | None:
        """The body of the message, and the trace of its task; None where the claim is another by now."""
        match claimed.subject:
            case Subject.TASK:
                stored = self._task(claimed)
                return (self._messages.of_task(self._viewer(stored)), stored.task.traceparent) if stored else None
            case Subject.BATCH:
                view = self._batch(claimed)
                return (self._messages.of_batch(view), None) if view else None
            case _:
                assert_never(claimed.subject)

    @retry_on_conflict
    def _task(self, claimed: Delivery) -> TaskRecord | None:
        with self._begin() as work:
            stored = work.tasks.get(TaskId(claimed.id), MAX_MESSAGE_BYTES)
        return stored if stored and _is_current(stored.delivery, claimed) else None

    @retry_on_conflict
    def _batch(self, claimed: Delivery) -> BatchView | None:
        with self._begin() as work:
            view = view_of(work, BatchId(claimed.id))
        return view if view and _is_current(view.record.delivery, claimed) else None

    def _attempted(self, claimed: Delivery, body: bytes, traceparent: Traceparent | None) -> Delivery:
        result = self._webhook_sender.send(claimed.url, claimed.event, self._clock.now(), body, traceparent)
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


def _is_current(delivery: Delivery | None, claimed: Delivery) -> bool:
    return delivery is not None and delivery.claim == claimed.claim
