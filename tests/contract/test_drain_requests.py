"""Requests to drain: an operator leaves one in the record of a handler, where the handler looks for it."""

from application.ports.monitoring import DrainRequest
from domain.ids import HandlerId
from tests.steps import at
from tests.storage import Storage

ONE, TWO = HandlerId("one"), HandlerId("two")


def publish(storage: Storage, *handlers: HandlerId) -> None:
    with storage.begin() as work:
        for handler in handlers:
            work.types.publish(handler, [], at(30))
        work.commit()


def ask(storage: Storage, handler: HandlerId, request: DrainRequest) -> bool:
    with storage.begin() as work:
        is_known = work.types.ask_to_drain(handler, request)
        work.commit()
    return is_known


def requests(storage: Storage) -> list[DrainRequest | None]:
    return [storage.pending.drain_request(each) for each in (ONE, TWO)]


def test_one_handler_finds_the_request_and_others_none(storage: Storage):
    publish(storage, ONE, TWO)
    assert requests(storage) == [None, None]
    assert ask(storage, TWO, DrainRequest.GRACE)
    assert requests(storage) == [None, DrainRequest.GRACE]


def test_a_later_request_replaces_the_earlier_one(storage: Storage):
    publish(storage, ONE)
    for request in (DrainRequest.UNLIMITED, DrainRequest.GRACE):
        assert ask(storage, ONE, request)
        assert requests(storage) == [request, None]


def test_a_request_outlives_renewals_and_publications(storage: Storage):
    publish(storage, ONE)
    ask(storage, ONE, DrainRequest.UNLIMITED)
    with storage.begin() as work:
        assert work.types.renew(ONE, at(60))
        work.commit()
    publish(storage, ONE)
    assert requests(storage) == [DrainRequest.UNLIMITED, None]


def test_a_request_ends_with_the_record_of_its_handler(storage: Storage):
    publish(storage, ONE)
    ask(storage, ONE, DrainRequest.GRACE)
    with storage.begin() as work:
        work.types.withdraw(ONE)
        work.commit()
    publish(storage, ONE)
    assert requests(storage) == [None, None]


def test_an_unknown_handler_is_not_asked(storage: Storage):
    assert not ask(storage, ONE, DrainRequest.GRACE)
    assert requests(storage) == [None, None]
