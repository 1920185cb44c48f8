"""Ask a handler to drain: the request is stored and notified, and of unknown handlers refused."""

from collections.abc import Callable

import pytest

from adapters.clocks import ManualClock
from adapters.memory import MemoryStore, MemoryWakeUp
from application.errors import UnknownHandler
from application.ports.monitoring import DrainRequest, Liveness
from application.ports.wake_up import Topic
from application.use_cases.request_drain import RequestDrain
from domain.ids import HandlerId
from tests.steps import NOW, add_one, at, claim_one
from tests.storage import in_memory

ONE, TWO, GONE = HandlerId("one"), HandlerId("two"), HandlerId("gone")
Drain = Callable[[HandlerId, DrainRequest], object]


class Bench:
    """Two handlers that live, and one that has fallen silent."""

    def __init__(self) -> None:
        self.storage = in_memory(MemoryStore())
        self.told: list[Topic] = []
        wake_up = MemoryWakeUp()
        wake_up.listen(self.told.append, list(Topic))
        self.clock = ManualClock(NOW)
        self.drain = RequestDrain(self.storage.begin, self.clock, wake_up)
        with self.storage.begin() as work:
            for handler, until in {ONE: 30, TWO: 30, GONE: -1}.items():
                work.types.publish(handler, [], at(until))
            work.types.renew(TWO, at(30), is_draining=True)
            work.commit()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_handler_finds_the_request_and_is_notified(bench: Bench):
    asked = bench.drain(ONE, DrainRequest.UNLIMITED)
    assert (asked.record.id, asked.state) == (ONE, Liveness.LIVE)
    assert bench.storage.pending.drain_request(ONE) is DrainRequest.UNLIMITED
    assert bench.told == [Topic.DRAIN]


def test_the_answer_tells_how_many_tasks_it_holds(bench: Bench):
    add_one(bench.storage)
    claim_one(bench.storage, handler=ONE)
    assert bench.drain(ONE, DrainRequest.GRACE).held.started == 1
    assert bench.drain(TWO, DrainRequest.GRACE).held.started == 0


@pytest.mark.parametrize("name", ["gone", "nobody"])
def test_a_handler_that_does_not_live_is_refused_with_those_that_could_be_drained(bench: Bench, name: str):
    with pytest.raises(UnknownHandler) as refused:
        bench.drain(HandlerId(name), DrainRequest.GRACE)
    assert str(refused.value) == f"no live handler is {name}; those that live are one"
    assert bench.told == []
