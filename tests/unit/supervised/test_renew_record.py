"""The record of a handler: renewed three times a lease, and when the handler begins to drain."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from math import inf
from typing import Any, TypeVar

import pytest

from adapters.clocks import ManualClock
from adapters.memory import MemoryStore
from application.errors import StorageConflict
from application.ports.monitoring import Liveness
from application.supervisor.operations.operation import Context, Identity
from application.supervisor.operations.renew_record import RenewRecord
from application.supervisor.state import SupervisorState
from domain.ids import HandlerId, TypeName
from domain.instants import after
from domain.settlement import LateLog
from domain.task_type import TaskType
from tests.storage import in_memory

T = TypeVar("T")
ME = HandlerId("me")
LEASE = 30.0


class DirectRunner:
    """A background runner that makes each call at once."""

    is_idle = True

    def submit(self, call: Callable[[], T], on_result: Callable[[T], None]) -> None:
        on_result(call())

    def deliver_result(self) -> None: ...

    def close(self) -> None: ...


class Bench:
    """The operation over memory, of a handler that has published and holds something that is to be written."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.storage = in_memory(MemoryStore())
        self.state = SupervisorState(self.clock)
        self.state.published = (TaskType(name=TypeName("add")),)
        self.holds_a_task(True)
        context = Context(self.state, self.storage.begin, self.storage.autocommit, Identity(ME, LEASE))
        with self.storage.begin() as work:
            work.types.publish(ME, self.state.published, after(self.clock.now(), LEASE))
            work.commit()
        self.context, self.operation = context, RenewRecord(context)

    def holds_a_task(self, whether: bool) -> None:
        log: Any = object.__new__(LateLog)
        self.state.late_logs[:] = [log] if whether else []

    def renew(self) -> None:
        assert self.operation.due_in() <= 0
        self.operation.send(DirectRunner())

    def liveness(self) -> Liveness:
        with self.storage.begin() as work:
            (handler,) = work.monitoring.handlers(self.clock.now(), 0)
        return handler.liveness(self.clock.now())


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_record_is_renewed_three_times_a_lease(bench: Bench):
    bench.renew()
    assert bench.operation.due_in() == LEASE / 3
    bench.clock.move(LEASE / 3)
    bench.renew()
    assert bench.liveness() is Liveness.LIVE


def test_a_handler_that_begins_to_drain_says_so_at_once_and_once(bench: Bench):
    bench.renew()
    bench.state.draining = True
    bench.renew()
    assert bench.liveness() is Liveness.DRAINING
    assert bench.operation.due_in() == LEASE / 3


def test_every_later_renewal_says_so_too(bench: Bench):
    bench.state.draining = True
    bench.renew()
    bench.clock.move(LEASE / 3)
    bench.renew()
    assert bench.liveness() is Liveness.DRAINING


def test_a_handler_that_drains_without_a_task_withdraws_without_a_word(bench: Bench):
    bench.renew()
    bench.holds_a_task(False)
    bench.state.draining = True
    assert bench.operation.due_in() == LEASE / 3
    bench.state.published = ()
    assert bench.operation.due_in() == inf


def test_a_locked_record_is_renewed_at_the_next_time(bench: Bench):
    def conflict() -> Any:
        raise StorageConflict

    operation = RenewRecord(replace(bench.context, begin=lambda: nullcontext(conflict())))
    operation.send(DirectRunner())
    assert operation.due_in() == LEASE / 3
    assert bench.state.published
