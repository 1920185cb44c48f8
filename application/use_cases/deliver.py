"""Deliver: tell one address that its task has finished, and note what it said."""

import random
from collections.abc import Callable

from application.conflict_retry import retry_on_conflict
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin
from application.ports.webhooks import Answer, Undelivered, WebhookSender
from application.signing import Signer
from application.view import View, Viewer
from domain.delivery import Delivery

GONE = 410


class Deliver:
    """At least once: where the answer came and could not be noted, the address is told again.

    `message` is what to say of a task that has finished.
    """

    def __init__(
        self,
        begin: Begin,
        clock: Clock,
        webhook_sender: WebhookSender,
        signer: Signer,
        viewer: Viewer,
        message: Callable[[View], bytes],
    ) -> None:
        self._begin = begin
        self._clock = clock
        self._webhook_sender = webhook_sender
        self._signer = signer
        self._viewer = viewer
        self._message = message

    def __call__(self, claimed: Delivery) -> Delivery | None:
        """How it stands after that; None where there is nothing to tell any more, or somebody else has claimed it."""
        view = self._view(claimed)
        if view is None:
            return None
        tried = self._tried(claimed, self._message(view))
        return tried if self._settle(tried) else None

    @retry_on_conflict
    def _view(self, claimed: Delivery) -> View | None:
        with self._begin() as work:
            stored = work.tasks.get(claimed.task)
        still = stored and stored.delivery and stored.delivery.claim == claimed.claim
        return self._viewer(stored) if stored and still else None

    def _tried(self, claimed: Delivery, body: bytes) -> Delivery:
        headers = self._signer.headers(claimed.event, self._clock.now(), body)
        try:
            answer = self._webhook_sender.send(claimed.url, headers | {"content-type": "application/json"}, body)
        except Undelivered as undelivered:
            return claimed.failed(self._clock.now(), undelivered.why, random.random())
        return self._answered(claimed, answer)

    def _answered(self, claimed: Delivery, answer: Answer) -> Delivery:
        said = f"it answered {answer.status}"
        if 200 <= answer.status < 300:
            return claimed.delivered()
        if answer.status == GONE:
            return claimed.given_up(f"{said}: gone for good")
        return claimed.failed(self._clock.now(), said, random.random())

    @retry_on_conflict
    def _settle(self, tried: Delivery) -> bool:
        with self._begin() as work:
            settled = work.deliveries.settle(tried)
            work.commit()
        return settled
