"""The webhook loop of a janitor, over memory: several deliveries at once, none of which affects another."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Barrier, Event

import pytest

from application.ports.webhooks import Answer
from application.signing import Signer
from application.use_cases.claim_deliveries import ClaimDeliveries
from application.use_cases.deliver import Deliver
from domain.delivery import DeliveryState
from domain.ids import TaskId
from entrypoints.callback_json import callback_json
from entrypoints.janitor.webhook_loop import MAX_SENDERS, WebhookLoop
from tests import steps
from tests.concurrency import until
from tests.unit.memory_service import Service

URL = "http://receiver/"
Receive = Callable[[str], int]
"""The status that a receiver answers with, by its URL."""


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def start_loop(service: Service) -> Iterator[Callable[[Receive], WebhookLoop]]:
    """Start a loop whose deliveries are answered by the function."""
    loops: list[WebhookLoop] = []

    class Sender:
        def __init__(self, receive: Receive) -> None:
            self._receive = receive

        def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
            return Answer(self._receive(url))

    def start(receive: Receive) -> WebhookLoop:
        deliver = Deliver(service.begin, service.clock, Sender(receive), Signer([]), service.viewer, callback_json)
        loops.append(WebhookLoop(ClaimDeliveries(service.begin, service.clock), deliver, rest=0.005))
        loops[-1].start()
        return loops[-1]

    yield start
    for loop in loops:
        loop.close()


def finish(service: Service, *urls: str) -> None:
    """Cancel a task with each of these addresses as its callback."""
    for task in steps.add(service.store.begin, *(steps.submission(callback=url) for url in urls)):
        steps.save(service.store.begin, task.cancel(service.clock.now()))


def states(service: Service) -> Sequence[DeliveryState]:
    with service.store.begin() as work:
        found = [work.tasks.get(TaskId(id)) for id in range(1, work._state.last_id + 1)]
    return [each.delivery.state for each in found if each and each.delivery]


def test_every_callback_is_delivered(service: Service, start_loop: Callable[[Receive], WebhookLoop]):
    finish(service, *[URL] * (5 * MAX_SENDERS))
    start_loop(lambda url: 200)
    until(lambda: set(states(service)) == {DeliveryState.DELIVERED})


def test_callbacks_are_sent_at_once_by_all_senders(service: Service, start_loop: Callable[[Receive], WebhookLoop]):
    all_senders = Barrier(MAX_SENDERS)
    finish(service, *[URL] * MAX_SENDERS)
    start_loop(lambda url: 200 + 0 * all_senders.wait(20))
    until(lambda: set(states(service)) == {DeliveryState.DELIVERED})


def test_a_slow_receiver_delays_no_other_callback(service: Service, start_loop: Callable[[Receive], WebhookLoop]):
    over = Event()
    finish(service, *["http://slow/"] * (MAX_SENDERS - 1), *[URL] * 20)
    start_loop(lambda url: 200 if url == URL or over.wait(20) else 500)
    until(lambda: states(service).count(DeliveryState.DELIVERED) == 20)
    over.set()


def test_an_unexpected_error_of_a_callback_is_logged_and_affects_no_other(
    service: Service, start_loop: Callable[[Receive], WebhookLoop], caplog: pytest.LogCaptureFixture
):
    finish(service, *["http://wrong/"] * MAX_SENDERS, URL)
    start_loop(lambda url: 200 if url == URL else 1 // 0)
    until(lambda: states(service).count(DeliveryState.DELIVERED) == 1)
    assert "the callback of task 1 failed and will be tried again" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_callback_that_is_given_up_is_logged(
    service: Service, start_loop: Callable[[Receive], WebhookLoop], caplog: pytest.LogCaptureFixture
):
    finish(service, URL)
    start_loop(lambda url: 410)
    until(lambda: states(service) == [DeliveryState.GIVEN_UP])
    until(lambda: "the callback of task 1 is given up: it answered 410" in caplog.text)


def test_a_callback_waits_for_the_end_of_an_outage(
    service: Service, start_loop: Callable[[Receive], WebhookLoop], caplog: pytest.LogCaptureFixture
):
    service.away = True
    finish(service, URL)
    start_loop(lambda url: 200)
    until(lambda: "no callback is sent while the database is away" in caplog.text)
    service.away = False
    until(lambda: states(service) == [DeliveryState.DELIVERED])


def test_close_waits_for_callbacks_under_way(service: Service, start_loop: Callable[[Receive], WebhookLoop]):
    begun, over = Event(), Event()

    def answer(url: str) -> int:
        begun.set()
        over.wait(20)
        return 200

    finish(service, URL)
    loop = start_loop(answer)
    assert begun.wait(20)
    over.set()
    loop.close()
    assert states(service) == [DeliveryState.DELIVERED]
