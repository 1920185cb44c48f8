"""Deliveries: the addresses of callbacks, and the times of their attempts."""

from dataclasses import replace

import pytest

from domain.delivery import MAX_ATTEMPTS, Delivery, DeliveryState
from domain.errors import InvalidOption
from domain.ids import TaskId
from domain.options import Options
from flask_tasks.decorator import TaskOptions
from tests.steps import NOW, at

URL = "https://example.org/told?by=us"
NEW = Delivery.of(TaskId(192), URL, at(1.234567))

GOOD = [
    URL,
    "http://example.org",
    "HTTPS://Example.org:65535",
    "http://receiver_1:8080/",
    "http://example.org.",
    "http://127.0.0.1/a%20b",
    "http://[::1]:80/?",
    "https://example.org?q",
    "https://example.org/" + "x" * 1_980,
]
BAD = [
    "",
    "example.org",
    "ftp://example.org",
    "https://",
    "https:///path",
    "https://:80",
    "https://me@example.org",
    "https://me:secret@example.org",
    "https://example.org@[::1]",
    "https://example.org\\@10.0.0.1",
    "https://a..b/",
    "https://example.org:0",
    "https://example.org:65536",
    "https://example.org:",
    "https://[::1",
    "https://[fe80::1%25eth0]",
    "https://example.org/#fragment",
    "https://example.org/a b",
    "https://example.org/\n",
    "https://example.org/é",
    "https://exämple.org",
    "https://example.org/\0",
    " https://example.org",
    "https://example.org/" + "x" * 1_981,
]


@pytest.mark.parametrize("address", GOOD)
def test_an_address_with_a_host_is_a_valid_callback(address: str):
    assert Options(callback=address).callback == address
    assert TaskOptions(callback=address).callback == address


@pytest.mark.parametrize("address", BAD)
def test_an_invalid_callback_is_refused_by_the_service_and_the_decorator(address: str):
    with pytest.raises(InvalidOption, match="it must be an http or https address with a host, at most 2000 printable"):
        Options(callback=address)
    with pytest.raises(ValueError, match="it must be an http or https address with a host"):
        TaskOptions(callback=address)


def test_a_long_invalid_callback_is_shortened_in_the_message():
    with pytest.raises(InvalidOption) as refusal:
        Options(callback="x" * 10_000)
    assert len(str(refusal.value)) < 300


def test_a_delivery_is_due_when_its_task_finishes():
    assert (NEW.state, NEW.attempts, NEW.due) == (DeliveryState.PENDING, 0, at(1.234567))
    assert not NEW.is_due(at(1))
    assert NEW.is_due(at(1.234567))


def test_the_event_of_a_delivery_is_the_same_at_every_attempt_and_unique_to_its_finish():
    assert NEW.event == "task-192-1767268801234567"
    assert NEW.claimed(at(60)).failed(at(2), "busy", 0).event == NEW.event
    assert Delivery.of(TaskId(192), URL, at(1.234568)).event != NEW.event


def test_a_claimed_delivery_is_not_due_until_its_lease_ends():
    claimed = NEW.claimed(until=at(60))
    assert claimed == replace(NEW, attempts=1, due=at(60))
    assert not claimed.is_due(at(59))
    assert claimed.is_due(at(60))


def test_a_finished_delivery_is_never_due_again():
    for ended in (NEW.delivered(), NEW.given_up("gone")):
        assert not ended.is_due(at(10**9))
        assert ended.next is None
    assert NEW.failed(NOW, "busy", 0).delivered().error is None


def test_a_failed_delivery_is_retried_for_most_of_a_day_and_then_given_up():
    delivery, waits, now = NEW, list[float](), 0.0
    while delivery.state is DeliveryState.PENDING:
        delivery = delivery.claimed(at(now + 60)).failed(at(now), "busy", jitter=0)
        if delivery.next:
            waits.append((delivery.next - at(now)).total_seconds())
            now += waits[-1]
    assert waits == [5, 15, 45, 135, 405, 1215, 3645, 10935, 21600, 21600, 21600]
    assert (delivery.state, delivery.attempts, delivery.error) == (DeliveryState.GIVEN_UP, MAX_ATTEMPTS, "busy")
    assert 20 * 3600 < sum(waits) < 23 * 3600


def test_jitter_separates_deliveries_that_failed_together():
    assert NEW.claimed(at(60)).failed(NOW, "busy", jitter=1).due == at(4)


def test_a_delivery_whose_last_attempt_was_lost_is_still_pending():
    claimed = replace(NEW, attempts=MAX_ATTEMPTS).claimed(at(60))
    assert claimed.state is DeliveryState.PENDING
    assert claimed.failed(NOW, "busy", 0).state is DeliveryState.GIVEN_UP
