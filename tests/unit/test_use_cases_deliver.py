"""Telling addresses, over memory: a post of paper, and a clock that is held."""

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
class PaperPost:
    """Keeps what it is given. `answers` are the next ones, then 200; a text is why there is none."""

    answers: list[int | str] = field(default_factory=list)
    sent: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.sent.append((url, headers, body))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, str):
            raise Undelivered(answer)
        return Answer(answer)

    def said(self) -> dict[str, Any]:
        """The last body."""
        return json.loads(self.sent[-1][2])


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def post() -> PaperPost:
    return PaperPost()


@pytest.fixture
def claim(service: Service) -> ClaimDeliveries:
    return ClaimDeliveries(service.begin, service.clock)


@pytest.fixture
def deliver(service: Service, post: PaperPost) -> Deliver:
    return Deliver(service.begin, service.clock, post, Signer([b"k" * 24]), service.viewer, callback_json)


def finish(service: Service, result: str = "1", args: dict[str, Any] | None = None) -> None:
    """A task with a callback is submitted and done."""
    service.submit(args=args, options={"callback": URL})
    task = steps.claim_one(service.storage, wanted={"default": 1}, now=service.clock.now())
    steps.succeed(service.storage, task, service.clock.now(), result)


def stands(service: Service, id: int = 1) -> Delivery:
    delivery = steps.stored(service.storage, id).delivery
    assert delivery
    return delivery


def test_an_address_is_told_once_that_its_task_is_done(
    service: Service, post: PaperPost, claim: ClaimDeliveries, deliver: Deliver
):
    finish(service, '{"b":1.0}', {"a": 1})
    (claimed,) = claim(10)
    service.clock.move(0.5)
    assert deliver(claimed) == claimed.delivered() == stands(service)
    (url, headers, body) = post.sent[0]
    assert url == URL
    assert headers.items() >= Signer([b"k" * 24]).headers(claimed.event, service.clock.now(), body).items()
    assert headers["content-type"] == "application/json"
    assert body.startswith(b'{"type":"task.done","timestamp":"2026-01-01T12:00:00.000+00:00","data":{"id":1,')
    assert post.said()["data"]["result"] == {"b": 1.0}
    assert not claim(10)


def test_what_it_is_told_of_the_task_is_what_the_view_shows(
    service: Service, post: PaperPost, claim: ClaimDeliveries, deliver: Deliver
):
    finish(service, args={"a": 1, "callback": 2})
    (claimed,) = claim(10)
    shown = json.loads(task_json(service.viewer(steps.stored(service.storage, 1))))
    deliver(claimed)
    assert post.said()["data"] == shown
    assert shown["args"]["callback"] == 2
    assert (shown["a"], shown["callback"]["state"]) == (1, "pending")


@pytest.mark.parametrize("answer", [199, 301, 400, 404, 500, "it did not answer in time"])
def test_any_other_answer_than_a_good_one_is_tried_again_after_a_while(
    service: Service, post: PaperPost, claim: ClaimDeliveries, deliver: Deliver, answer: int | str
):
    finish(service)
    (claimed,) = claim(10)
    post.answers = [answer]
    deliver(claimed)
    assert stands(service).error == (answer if isinstance(answer, str) else f"it answered {answer}")
    service.clock.move(3.9)
    assert not claim(10)
    service.clock.move(1.1)
    (again,) = claim(10)
    deliver(again)
    assert stands(service).state is DeliveryState.DELIVERED
    first, second = (headers for _, headers, _ in post.sent)
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-timestamp"] != second["webhook-timestamp"]


def test_who_is_gone_for_good_is_not_told_again(
    service: Service, post: PaperPost, claim: ClaimDeliveries, deliver: Deliver
):
    finish(service)
    post.answers = [410]
    (claimed,) = claim(10)
    given_up = deliver(claimed)
    assert given_up == stands(service)
    assert (given_up.state, given_up.error) == (DeliveryState.GIVEN_UP, "it answered 410: gone for good")


def test_who_dies_with_one_in_hand_loses_nothing(service: Service, claim: ClaimDeliveries, deliver: Deliver):
    finish(service)
    (lost,) = claim(10)
    service.clock.move(LEASE_SECONDS - 0.1)
    assert not claim(10)
    service.clock.move(0.1)
    (again,) = claim(10)
    assert deliver(lost) is None
    assert deliver(again) == again.delivered()


def test_the_late_answer_of_one_that_was_overtaken_is_not_noted(
    service: Service, post: PaperPost, claim: ClaimDeliveries, deliver: Deliver
):
    finish(service)
    (slow,) = claim(10)

    class Slow(PaperPost):
        def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
            service.clock.move(LEASE_SECONDS)
            (newer,) = claim(10)
            assert deliver(newer) == newer.delivered()
            return Answer(500)

    late = Deliver(service.begin, service.clock, Slow(), Signer([]), service.viewer, callback_json)
    assert late(slow) is None
    assert stands(service).state is DeliveryState.DELIVERED


@pytest.mark.parametrize("change", ["retry", "delete"])
def test_nobody_is_told_of_what_is_so_no_longer(
    service: Service, post: PaperPost, claim: ClaimDeliveries, deliver: Deliver, change: str
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
    assert not post.sent


@pytest.mark.parametrize(("verb", "type"), [("fail", "task.failed"), ("cancel", "task.cancelled")])
def test_the_type_of_the_news_says_how_it_ended(
    service: Service, post: PaperPost, claim: ClaimDeliveries, deliver: Deliver, verb: str, type: str
):
    service.submit(options={"callback": URL})
    task = steps.claim_one(service.storage, wanted={"default": 1}, now=service.clock.now())
    if verb == "fail":
        steps.fail(service.storage, task, service.clock.now())
    else:
        steps.save(service.storage, task.cancel(service.clock.now()))
    (claimed,) = claim(10)
    deliver(claimed)
    assert post.said()["type"] == type


@pytest.mark.parametrize("size", [MAX_BYTES // 2, MAX_BYTES, 3 * MAX_BYTES])
def test_what_is_too_large_is_told_without_arguments_and_result(
    service: Service, post: PaperPost, claim: ClaimDeliveries, deliver: Deliver, size: int
):
    finish(service, json.dumps("é" * (size // 2), ensure_ascii=False))
    (claimed,) = claim(10)
    deliver(claimed)
    is_whole = size < MAX_BYTES
    assert ("result" in post.said()["data"]) is is_whole
    assert post.said().get("truncated") is (None if is_whole else True)
    assert len(post.sent[0][2]) <= MAX_BYTES
    assert post.said()["data"]["id"] == 1


def test_an_outage_is_told_and_a_conflict_is_tried_again(
    service: Service, post: PaperPost, claim: ClaimDeliveries, deliver: Deliver
):
    finish(service)
    service.errors = [StorageConflict()]
    (claimed,) = claim(10)
    service.errors = [StorageConflict()]
    assert deliver(claimed)
    service.away = True
    with pytest.raises(StorageUnavailable):
        claim(10)
