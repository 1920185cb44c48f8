"""The postman of a janitor, over memory: a few at a time, whatever one of them does."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from threading import Barrier, Event

import pytest

from application.ports.webhooks import Delivered, Failed, Gone, SendResult
from application.use_cases.deliver import Deliver
from domain.delivery import DeliveryState
from domain.ids import TaskId
from entrypoints.callback_json import callback_json
from entrypoints.janitor.webhook_loop import MAX_SENDERS, WebhookLoop
from tests import steps
from tests.concurrency import until
from tests.unit.memory_service import Service

URL = "http://receiver/"
Answer = Callable[[str], SendResult]


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def hire(service: Service) -> Iterator[Callable[[Answer], WebhookLoop]]:
    """A postman at work, to whose messages that function answers, by address."""
    hired: list[WebhookLoop] = []

    class AnsweringSender:
        """Implements application.ports.webhooks.WebhookSender by that function of the address."""

        def __init__(self, answer: Answer) -> None:
            self._answer = answer

        def send(self, url: str, event_id: str, sent_at: datetime, body: bytes) -> SendResult:
            return self._answer(url)

    def start(answer: Answer) -> WebhookLoop:
        deliver = Deliver(service.begin, service.clock, AnsweringSender(answer), service.viewer, callback_json)
        hired.append(WebhookLoop(service.janitor.claim_deliveries(), deliver, rest=0.005))
        hired[-1].open()
        return hired[-1]

    yield start
    for postman in hired:
        postman.close()


def finish(service: Service, *urls: str) -> None:
    """A task for each of these addresses is cancelled."""
    for task in steps.add(service.storage, *(steps.submission(callback=url) for url in urls)):
        steps.save(service.storage, task.cancel(service.clock.now()))


def states(service: Service) -> Sequence[DeliveryState]:
    with service.store.begin() as work:
        found = [work.tasks.get(TaskId(id)) for id in range(1, work.state.last_id + 1)]
    return [each.delivery.state for each in found if each and each.delivery]


def test_all_are_told_however_many_there_are(service: Service, hire: Callable[[Answer], WebhookLoop]):
    finish(service, *[URL] * (5 * MAX_SENDERS))
    hire(lambda url: Delivered())
    until(lambda: set(states(service)) == {DeliveryState.DELIVERED})


def test_so_many_are_told_at_once(service: Service, hire: Callable[[Answer], WebhookLoop]):
    together = Barrier(MAX_SENDERS)
    finish(service, *[URL] * MAX_SENDERS)

    def answer(url: str) -> SendResult:
        together.wait(20)
        return Delivered()

    hire(answer)
    until(lambda: set(states(service)) == {DeliveryState.DELIVERED})


def test_a_slow_one_holds_up_no_other(service: Service, hire: Callable[[Answer], WebhookLoop]):
    over = Event()
    finish(service, *["http://slow/"] * (MAX_SENDERS - 1), *[URL] * 20)
    hire(lambda url: Delivered() if url == URL or over.wait(20) else Failed("it answered 500"))
    until(lambda: states(service).count(DeliveryState.DELIVERED) == 20)
    over.set()


def test_one_that_goes_wrong_in_an_unheard_of_way_is_logged_and_harms_no_other(
    service: Service, hire: Callable[[Answer], WebhookLoop], caplog: pytest.LogCaptureFixture
):
    finish(service, *["http://wrong/"] * MAX_SENDERS, URL)

    def answer(url: str) -> SendResult:
        if url != URL:
            raise ZeroDivisionError
        return Delivered()

    hire(answer)
    until(lambda: states(service).count(DeliveryState.DELIVERED) == 1)
    assert "task 1: its callback failed, and is tried again" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_what_is_given_up_is_logged(
    service: Service, hire: Callable[[Answer], WebhookLoop], caplog: pytest.LogCaptureFixture
):
    finish(service, URL)
    hire(lambda url: Gone("it answered 410: gone for good"))
    until(lambda: states(service) == [DeliveryState.GIVEN_UP])
    until(lambda: "task 1: its callback is given up, it answered 410" in caplog.text)


def test_an_outage_makes_it_wait_and_nothing_else(
    service: Service, hire: Callable[[Answer], WebhookLoop], caplog: pytest.LogCaptureFixture
):
    service.away = True
    finish(service, URL)
    hire(lambda url: Delivered())
    until(lambda: "nobody is told while the database is away" in caplog.text)
    service.away = False
    until(lambda: states(service) == [DeliveryState.DELIVERED])


def test_it_ends_when_what_is_under_way_has_ended(service: Service, hire: Callable[[Answer], WebhookLoop]):
    begun, over = Event(), Event()

    def answer(url: str) -> SendResult:
        begun.set()
        over.wait(20)
        return Delivered()

    finish(service, URL)
    postman = hire(answer)
    assert begun.wait(20)
    over.set()
    postman.close()
    assert states(service) == [DeliveryState.DELIVERED]
