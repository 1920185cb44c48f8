"""Delivering callbacks, over memory, with a fake sender and a manual clock."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from application.errors import StorageConflict, StorageUnavailable
from application.ports.webhooks import Answer, Undelivered
from application.signing import Signer
from application.use_cases.claim_deliveries import LEASE_SECONDS, ClaimDeliveries
from application.use_cases.deliver import Deliver
from domain.delivery import Delivery, DeliveryState
from domain.ids import TaskId
from entrypoints.callback_json import MAX_BYTES, callback_json
from entrypoints.task_json import task_json
from tests import steps
from tests.unit.memory_service import Service

URL = "https://example.org/told"


@dataclass
class FakeSender:
    """Records the messages.

    - `answers`: the next answers, then 200; a text is the reason why there is none.
    """

    answers: list[int | str] = field(default_factory=list)
    sent: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.sent.append((url, headers, body))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, str):
            raise Undelivered(answer)
        return Answer(answer)

    def last_body(self) -> dict[str, Any]:
        """The JSON of the last message."""
        return json.loads(self.sent[-1][2])


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture
def claim(service: Service) -> ClaimDeliveries:
    return ClaimDeliveries(service.begin, service.clock)


@pytest.fixture
def deliver(service: Service, sender: FakeSender) -> Deliver:
    return Deliver(service.begin, service.clock, sender, Signer([b"k" * 24]), service.viewer, callback_json)


def finish(service: Service, result: str = "1", args: dict[str, Any] | None = None) -> None:
    """Submit a task with a callback, and let it succeed."""
    service.submit(args=args, options={"callback": URL})
    task = steps.claim_one(service.store.begin, wanted={"default": 1}, now=service.clock.now())
    steps.succeed(service.store.begin, task, service.clock.now(), result)


def stored_delivery(service: Service, id: int = 1) -> Delivery:
    delivery = steps.stored(service.store.begin, id).delivery
    assert delivery
    return delivery


def test_a_done_task_is_delivered_once(service: Service, sender: FakeSender, claim: ClaimDeliveries, deliver: Deliver):
    finish(service, '{"b":1.0}', {"a": 1})
    (claimed,) = claim(10)
    service.clock.move(0.5)
    assert deliver(claimed) == claimed.delivered() == stored_delivery(service)
    (url, headers, body) = sender.sent[0]
    assert url == URL
    assert headers.items() >= Signer([b"k" * 24]).headers(claimed.event, service.clock.now(), body).items()
    assert headers["content-type"] == "application/json"
    assert body.startswith(b'{"type":"task.done","timestamp":"2026-01-01T12:00:00.000+00:00","data":{"id":1,')
    assert sender.last_body()["data"]["result"] == {"b": 1.0}
    assert not claim(10)


def test_a_delivery_carries_the_view_of_its_task(
    service: Service, sender: FakeSender, claim: ClaimDeliveries, deliver: Deliver
):
    finish(service, args={"a": 1, "callback": 2})
    (claimed,) = claim(10)
    shown = json.loads(task_json(service.viewer(steps.stored(service.store.begin, 1))))
    deliver(claimed)
    assert sender.last_body()["data"] == shown
    assert shown["args"]["callback"] == 2
    assert (shown["a"], shown["callback"]["state"]) == (1, "pending")


@pytest.mark.parametrize("answer", [199, 301, 400, 404, 500, "it did not answer in time"])
def test_a_delivery_without_a_success_answer_is_retried_later(
    service: Service, sender: FakeSender, claim: ClaimDeliveries, deliver: Deliver, answer: int | str
):
    finish(service)
    (claimed,) = claim(10)
    sender.answers = [answer]
    deliver(claimed)
    assert stored_delivery(service).error == (answer if isinstance(answer, str) else f"it answered {answer}")
    service.clock.move(3.9)
    assert not claim(10)
    service.clock.move(1.1)
    (again,) = claim(10)
    deliver(again)
    assert stored_delivery(service).state is DeliveryState.DELIVERED
    first, second = (headers for _, headers, _ in sender.sent)
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-timestamp"] != second["webhook-timestamp"]


def test_a_delivery_answered_with_410_is_given_up(
    service: Service, sender: FakeSender, claim: ClaimDeliveries, deliver: Deliver
):
    finish(service)
    sender.answers = [410]
    (claimed,) = claim(10)
    given_up = deliver(claimed)
    assert given_up == stored_delivery(service)
    assert (given_up.state, given_up.error) == (DeliveryState.GIVEN_UP, "it answered 410: gone for good")


def test_a_delivery_of_a_dead_janitor_is_claimed_again(service: Service, claim: ClaimDeliveries, deliver: Deliver):
    finish(service)
    (lost,) = claim(10)
    service.clock.move(LEASE_SECONDS - 0.1)
    assert not claim(10)
    service.clock.move(0.1)
    (again,) = claim(10)
    assert deliver(lost) is None
    assert deliver(again) == again.delivered()


def test_a_late_answer_to_an_overtaken_attempt_is_not_stored(
    service: Service, sender: FakeSender, claim: ClaimDeliveries, deliver: Deliver
):
    finish(service)
    (slow,) = claim(10)

    class SlowSender(FakeSender):
        def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
            service.clock.move(LEASE_SECONDS)
            (newer,) = claim(10)
            assert deliver(newer) == newer.delivered()
            return Answer(500)

    late = Deliver(service.begin, service.clock, SlowSender(), Signer([]), service.viewer, callback_json)
    assert late(slow) is None
    assert stored_delivery(service).state is DeliveryState.DELIVERED


@pytest.mark.parametrize("change", ["retry", "delete"])
def test_a_delivery_of_a_retried_or_deleted_task_is_not_sent(
    service: Service, sender: FakeSender, claim: ClaimDeliveries, deliver: Deliver, change: str
):
    service.submit(options={"callback": URL})
    task = steps.claim_one(service.store.begin, wanted={"default": 1}, now=service.clock.now())
    steps.fail(service.store.begin, task, service.clock.now())
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
def test_the_event_type_names_the_status_of_the_task(
    service: Service, sender: FakeSender, claim: ClaimDeliveries, deliver: Deliver, verb: str, type: str
):
    service.submit(options={"callback": URL})
    task = steps.claim_one(service.store.begin, wanted={"default": 1}, now=service.clock.now())
    if verb == "fail":
        steps.fail(service.store.begin, task, service.clock.now())
    else:
        steps.save(service.store.begin, task.cancel(service.clock.now()))
    (claimed,) = claim(10)
    deliver(claimed)
    assert sender.last_body()["type"] == type


@pytest.mark.parametrize("size", [MAX_BYTES // 2, MAX_BYTES, 3 * MAX_BYTES])
def test_a_large_task_is_delivered_without_arguments_and_result(
    service: Service, sender: FakeSender, claim: ClaimDeliveries, deliver: Deliver, size: int
):
    finish(service, json.dumps("é" * (size // 2), ensure_ascii=False))
    (claimed,) = claim(10)
    deliver(claimed)
    is_whole = size < MAX_BYTES
    assert ("result" in sender.last_body()["data"]) is is_whole
    assert sender.last_body().get("truncated") is (None if is_whole else True)
    assert len(sender.sent[0][2]) <= MAX_BYTES
    assert sender.last_body()["data"]["id"] == 1


def test_claiming_and_delivering_retry_a_conflict_and_raise_an_outage(
    service: Service, sender: FakeSender, claim: ClaimDeliveries, deliver: Deliver
):
    finish(service)
    service.errors = [StorageConflict()]
    (claimed,) = claim(10)
    service.errors = [StorageConflict()]
    assert deliver(claimed)
    service.away = True
    with pytest.raises(StorageUnavailable):
        claim(10)
