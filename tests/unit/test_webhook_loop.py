"""The postman of a janitor, over memory: a few at a time, whatever one of them does."""

from collections.abc import Callable, Iterator, Sequence
from threading import Barrier, Event

import pytest

from application.ports.webhooks import Delivered, Failed, Gone, SendResult
from application.use_cases.deliver import Deliver
from domain.delivery import DeliveryState
from domain.ids import TaskId
from entrypoints.callback_json import MESSAGES
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
def start_loop(service: Service) -> Iterator[Callable[[Answer], WebhookLoop]]:
    """Starts webhook loops whose messages a function of the address answers, and closes them all in the end."""
    loops: list[WebhookLoop] = []

    class AnsweringSender:
        """Implements application.ports.webhooks.WebhookSender by that function of the address."""

        def __init__(self, answer: Answer) -> None:
            self._answer = answer

        def send(self, url: str, *_: object) -> SendResult:
            return self._answer(url)

    def start(answer: Answer) -> WebhookLoop:
        deliver = Deliver(service.begin, service.clock, AnsweringSender(answer), service.viewer, MESSAGES)
        loops.append(WebhookLoop(service.janitor.claim_deliveries(), deliver, rest=0.005))
        loops[-1].start()
        return loops[-1]

    yield start
    for postman in loops:
        postman.close()


def finish(service: Service, *urls: str) -> None:
    """A task for each of these addresses is cancelled."""
    for task in steps.add(service.storage, *(steps.submission(callback=url) for url in urls)):
        steps.save(service.storage, task.cancel(service.clock.now()))


def errors(service: Service) -> Sequence[str | None]:
    with service.store.begin() as work:
        return [each.error for each in work.state.deliveries.values()]


def states(service: Service) -> Sequence[DeliveryState]:
    with service.store.begin() as work:
        found = [work.tasks.get(TaskId(id)) for id in range(1, work.state.last_id + 1)]
    return [each.delivery.state for each in found if each and each.delivery]


def test_every_callback_is_delivered(service: Service, start_loop: Callable[[Answer], WebhookLoop]):
    finish(service, *[URL] * (5 * MAX_SENDERS))
    start_loop(lambda url: Delivered())
    until(lambda: set(states(service)) == {DeliveryState.DELIVERED})


def test_attempts_are_counted_by_what_came_of_them(service: Service, start_loop: Callable[[Answer], WebhookLoop]):
    answers: dict[str, SendResult] = {
        URL: Delivered(),
        "http://failing/": Failed("it answered 500"),
        "http://gone/": Gone("it answered 410"),
    }
    finish(service, *answers, URL)
    loop = start_loop(answers.__getitem__)
    until(lambda: loop.attempts() == {DeliveryState.DELIVERED: 2, DeliveryState.PENDING: 1, DeliveryState.GIVEN_UP: 1})


def test_callbacks_are_sent_at_once_by_all_senders(service: Service, start_loop: Callable[[Answer], WebhookLoop]):
    together = Barrier(MAX_SENDERS)
    finish(service, *[URL] * MAX_SENDERS)

    def answer(url: str) -> SendResult:
        together.wait(20)
        return Delivered()

    start_loop(answer)
    until(lambda: set(states(service)) == {DeliveryState.DELIVERED})


def test_a_slow_receiver_delays_no_other_callback(service: Service, start_loop: Callable[[Answer], WebhookLoop]):
    over = Event()
    finish(service, *["http://slow/"] * (MAX_SENDERS - 1), *[URL] * 20)
    start_loop(lambda url: Delivered() if url == URL or over.wait(20) else Failed("it answered 500"))
    until(lambda: states(service).count(DeliveryState.DELIVERED) == 20)
    over.set()


def test_an_unexpected_error_of_a_callback_is_logged_and_affects_no_other(
    service: Service, start_loop: Callable[[Answer], WebhookLoop], caplog: pytest.LogCaptureFixture
):
    finish(service, *["http://wrong/"] * MAX_SENDERS, URL)

    def answer(url: str) -> SendResult:
        if url != URL:
            raise ZeroDivisionError
        return Delivered()

    start_loop(answer)
    until(lambda: states(service).count(DeliveryState.DELIVERED) == 1)
    assert "the callback of task 1 cannot be sent" in caplog.text
    assert "ZeroDivisionError" in caplog.text
    until(lambda: "the message cannot be sent: ZeroDivisionError" in errors(service))


def test_a_callback_that_is_given_up_is_logged(
    service: Service, start_loop: Callable[[Answer], WebhookLoop], caplog: pytest.LogCaptureFixture
):
    finish(service, URL)
    start_loop(lambda url: Gone("it answered 410: gone for good"))
    until(lambda: states(service) == [DeliveryState.GIVEN_UP])
    until(lambda: "the callback of task 1 is given up: it answered 410" in caplog.text)


def test_a_callback_waits_for_the_end_of_an_outage(
    service: Service, start_loop: Callable[[Answer], WebhookLoop], caplog: pytest.LogCaptureFixture
):
    service.away = True
    finish(service, URL)
    start_loop(lambda url: Delivered())
    until(lambda: "no callback is sent while the database is away" in caplog.text)
    service.away = False
    until(lambda: states(service) == [DeliveryState.DELIVERED])


def test_close_waits_for_callbacks_under_way(service: Service, start_loop: Callable[[Answer], WebhookLoop]):
    begun, over = Event(), Event()

    def answer(url: str) -> SendResult:
        begun.set()
        over.wait(20)
        return Delivered()

    finish(service, URL)
    postman = start_loop(answer)
    assert begun.wait(20)
    over.set()
    postman.close()
    assert states(service) == [DeliveryState.DELIVERED]
