"""Deliver, over memory, with a sender that records its messages and a clock that is held."""

import json
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

import pytest

from application.current_trace import current_trace
from application.errors import StorageConflict, StorageUnavailable
from application.ports.batches import NewBatch
from application.ports.webhooks import Delivered, Failed, Gone, SendResult
from application.use_cases.claim_deliveries import LEASE_SECONDS, ClaimDeliveries
from application.use_cases.deliver import MAX_MESSAGE_BYTES, Deliver
from application.view import View
from domain.batch import BatchCounts
from domain.delivery import Delivery, DeliveryState
from domain.ids import BatchId, TaskId
from domain.traceparent import Traceparent
from entrypoints.callback_json import MESSAGES, callback_json
from entrypoints.task_json import task_json
from tests import steps
from tests.unit.memory_service import Service

TRACE = Traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
URL = "https://example.org/told"


class Message(NamedTuple):
    """One message that was sent."""

    url: str
    event_id: str
    sent_at: datetime
    body: bytes
    traceparent: str | None


@dataclass
class RecordingSender:
    """Implements application.ports.webhooks.WebhookSender: `results` are the next ones, then Delivered."""

    results: list[SendResult] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)

    def send(
        self, url: str, event_id: str, sent_at: datetime, body: bytes, traceparent: str | None = None
    ) -> SendResult:
        self.sent.append(Message(url, event_id, sent_at, body, traceparent))
        return self.results.pop(0) if self.results else Delivered()

    def last_body(self) -> dict[str, Any]:
        return json.loads(self.sent[-1].body)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def sender() -> RecordingSender:
    return RecordingSender()


@pytest.fixture
def claim(service: Service) -> ClaimDeliveries:
    return service.janitor.claim_deliveries()


@pytest.fixture
def deliver(service: Service, sender: RecordingSender) -> Deliver:
    return Deliver(service.begin, service.clock, sender, service.viewer, MESSAGES)


def finish(service: Service, result: str = "1", args: dict[str, Any] | None = None) -> None:
    """A task with a callback is submitted and done."""
    service.submit(args=args, options={"callback": URL})
    task = steps.claim_one(service.storage, wanted={"default": 1}, now=service.clock.now())
    steps.succeed(service.storage, task, service.clock.now(), result)


def stands(service: Service, id: int = 1) -> Delivery:
    delivery = steps.stored(service.storage, id).delivery
    assert delivery
    return delivery


def test_deliver_sends_one_message_when_a_task_is_done(
    service: Service, sender: RecordingSender, claim: ClaimDeliveries, deliver: Deliver
):
    finish(service, '{"b":1.0}', {"a": 1})
    (claimed,) = claim(10)
    service.clock.move(0.5)
    assert deliver(claimed) == claimed.delivered() == stands(service)
    (message,) = sender.sent
    assert message[:3] == (URL, claimed.event, service.clock.now())
    assert message.body.startswith(b'{"type":"task.done","timestamp":"2026-01-01T12:00:00.000+00:00","data":{"id":1,')
    assert sender.last_body()["data"]["result"] == {"b": 1.0}
    assert message.traceparent is None
    assert not claim(10)


def test_deliver_sends_the_trace_of_the_task(
    service: Service, sender: RecordingSender, claim: ClaimDeliveries, deliver: Deliver
):
    context = copy_context()
    context.run(current_trace.set, TRACE)
    context.run(finish, service)
    deliver(*claim(10))
    assert [each.traceparent for each in sender.sent] == [TRACE]


def test_message_holds_the_task_as_its_view_shows_it(
    service: Service, sender: RecordingSender, claim: ClaimDeliveries, deliver: Deliver
):
    finish(service, args={"a": 1, "callback": 2})
    (claimed,) = claim(10)
    shown = json.loads(task_json(service.viewer(steps.stored(service.storage, 1))))
    deliver(claimed)
    assert sender.last_body()["data"] == shown
    assert shown["args"]["callback"] == 2
    assert (shown["a"], shown["callback"]["state"]) == (1, "pending")


@pytest.mark.parametrize("why", ["it answered 500", "it did not answer in time"])
def test_failed_message_is_sent_again_after_a_while_under_the_same_event_id(
    service: Service, sender: RecordingSender, claim: ClaimDeliveries, deliver: Deliver, why: str
):
    finish(service)
    (claimed,) = claim(10)
    sender.results = [Failed(why)]
    deliver(claimed)
    assert stands(service).error == why
    service.clock.move(3.9)
    assert not claim(10)
    service.clock.move(1.1)
    (again,) = claim(10)
    deliver(again)
    assert stands(service).state is DeliveryState.DELIVERED
    first, second = sender.sent
    assert first.event_id == second.event_id
    assert second.sent_at == service.clock.now() > first.sent_at


def test_delivery_to_an_address_that_is_gone_is_given_up(
    service: Service, sender: RecordingSender, claim: ClaimDeliveries, deliver: Deliver
):
    finish(service)
    sender.results = [Gone("it answered 410: gone for good")]
    (claimed,) = claim(10)
    given_up = deliver(claimed)
    assert given_up == stands(service)
    assert (given_up.state, given_up.error) == (DeliveryState.GIVEN_UP, "it answered 410: gone for good")


def test_delivery_of_a_claimer_that_died_is_claimed_again_after_the_lease(
    service: Service, claim: ClaimDeliveries, deliver: Deliver
):
    finish(service)
    (lost,) = claim(10)
    service.clock.move(LEASE_SECONDS - 0.1)
    assert not claim(10)
    service.clock.move(0.1)
    (again,) = claim(10)
    assert deliver(lost) is None
    assert deliver(again) == again.delivered()


def test_late_result_of_an_older_claim_is_not_stored(
    service: Service, sender: RecordingSender, claim: ClaimDeliveries, deliver: Deliver
):
    finish(service)
    (slow,) = claim(10)

    class SlowSender(RecordingSender):
        def send(self, *_: object) -> SendResult:
            service.clock.move(LEASE_SECONDS)
            (newer,) = claim(10)
            assert deliver(newer) == newer.delivered()
            return Failed("it answered 500")

    late = Deliver(service.begin, service.clock, SlowSender(), service.viewer, MESSAGES)
    assert late(slow) is None
    assert stands(service).state is DeliveryState.DELIVERED


@pytest.mark.parametrize("change", ["retry", "delete"])
def test_deliver_sends_nothing_of_a_task_that_was_retried_or_deleted(
    service: Service, sender: RecordingSender, claim: ClaimDeliveries, deliver: Deliver, change: str
):
    service.submit(options={"callback": URL})
    task = steps.claim_one(service.storage, wanted={"default": 1}, now=service.clock.now())
    steps.fail(service.storage, task, service.clock.now())
    (claimed,) = claim(10)
    with service.store.begin() as work:
        (failed,) = work.tasks.lock(TaskId(1))
        if change == "retry":
            work.tasks.save(failed.retry(service.clock.now(), 1))
        else:
            work.tasks.remove(failed.id)
        work.commit()
    assert deliver(claimed) is None
    assert not sender.sent


@pytest.mark.parametrize(("verb", "type"), [("fail", "task.failed"), ("cancel", "task.cancelled")])
def test_type_of_the_event_names_the_final_status(
    service: Service, sender: RecordingSender, claim: ClaimDeliveries, deliver: Deliver, verb: str, type: str
):
    service.submit(options={"callback": URL})
    task = steps.claim_one(service.storage, wanted={"default": 1}, now=service.clock.now())
    if verb == "fail":
        steps.fail(service.storage, task, service.clock.now())
    else:
        steps.save(service.storage, task.cancel(service.clock.now()))
    (claimed,) = claim(10)
    deliver(claimed)
    assert sender.last_body()["type"] == type


@pytest.mark.parametrize("size", [MAX_MESSAGE_BYTES // 2, MAX_MESSAGE_BYTES, 3 * MAX_MESSAGE_BYTES])
def test_message_that_is_too_large_leaves_out_arguments_and_result(
    service: Service, sender: RecordingSender, claim: ClaimDeliveries, deliver: Deliver, size: int
):
    finish(service, json.dumps("é" * (size // 2), ensure_ascii=False))
    (claimed,) = claim(10)
    deliver(claimed)
    is_whole = size < MAX_MESSAGE_BYTES
    assert ("result" in sender.last_body()["data"]) is is_whole
    assert sender.last_body().get("truncated") is (None if is_whole else True)
    assert len(sender.sent[0].body) <= MAX_MESSAGE_BYTES
    assert sender.last_body()["data"]["id"] == 1


def test_texts_that_no_message_has_room_for_are_not_read(
    service: Service, sender: RecordingSender, claim: ClaimDeliveries, monkeypatch: pytest.MonkeyPatch
):
    finish(service, json.dumps("x" * MAX_MESSAGE_BYTES))
    (claimed,) = claim(10)
    messages: list[View] = []

    def message(view: View) -> bytes:
        messages.append(view)
        return callback_json(view)

    Deliver(service.begin, service.clock, sender, service.viewer, replace(MESSAGES, of_task=message))(claimed)
    assert [(each.stored.is_summary, each.stored.result) for each in messages] == [(True, None)]
    assert sender.last_body()["truncated"] is True


def test_deliver_raises_in_an_outage_and_repeats_after_a_conflict(
    service: Service, sender: RecordingSender, claim: ClaimDeliveries, deliver: Deliver
):
    finish(service)
    service.errors = [StorageConflict()]
    (claimed,) = claim(10)
    service.errors = [StorageConflict()]
    assert deliver(claimed)
    service.away = True
    with pytest.raises(StorageUnavailable):
        claim(10)


def finish_batch(service: Service) -> None:
    """A batch with a callback is created and finishes, as it has no tasks."""
    with service.begin() as work:
        batch = work.batches.add(NewBatch(now=service.clock.now(), ttl=60, name="sweep", callback=URL))
        assert batch
        work.batches.save(batch.finished_at(service.clock.now(), BatchCounts({})))
        work.commit()


def test_deliver_sends_the_batch_that_has_finished(
    service: Service, sender: RecordingSender, claim: ClaimDeliveries, deliver: Deliver
):
    finish_batch(service)
    (claimed,) = claim(10)
    assert deliver(claimed) == claimed.delivered()
    assert (sender.sent[0].url, sender.sent[0].event_id) == (URL, claimed.event)
    assert claimed.event.startswith("batch-1-")
    body = sender.last_body()
    assert (body["type"], body["data"]["name"], body["data"]["callback"]["attempts"]) == ("batch.finished", "sweep", 1)
    assert claim(10) == []


def test_deliver_sends_nothing_of_a_batch_that_goes_on(
    service: Service, sender: RecordingSender, claim: ClaimDeliveries, deliver: Deliver
):
    finish_batch(service)
    (claimed,) = claim(10)
    with service.begin() as work:
        work.batches.resume([BatchId(1)])
        work.commit()
    assert deliver(claimed) is None
    assert sender.sent == []
