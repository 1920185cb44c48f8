"""The tally of a handler: what its supervisor tells a monitor."""

from dataclasses import dataclass, field

import pytest

from adapters.clocks import ManualClock
from adapters.memory import MemoryStore, MemoryWakeUp
from application.ports.queue import SettleResult
from application.supervisor.claimed_tasks import ClaimedTask
from application.supervisor.operations.operation import Context, Identity
from application.supervisor.operations.renew_leases import RenewLeases
from application.supervisor.operations.settle import Settle
from application.supervisor.state import SupervisorState
from domain.ids import TypeName
from domain.settlement import Settlement
from domain.task_type import TaskType
from tests import steps
from tests.storage import in_memory
from tests.unit.supervised.test_renew_record import LEASE, ME, DirectRunner


@dataclass
class Bench:
    """A supervisor's state over memory, with the operations that settle and renew."""

    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.storage = in_memory(MemoryStore())
        self.state = SupervisorState(self.clock)
        self.state.published = (TaskType(name=TypeName("add")),)
        context = Context(self.state, self.storage.begin, self.storage.autocommit, Identity(ME, LEASE))
        self.settle = Settle(context, MemoryWakeUp(), self.state.outbox)
        self.renew = RenewLeases(context)

    def end_tasks(self, number: int) -> None:
        """Claim tasks, and put the outcomes of their runs into the outbox."""
        for _ in range(number):
            steps.add_one(self.storage)
        self.state.read_clock()
        for record in steps.claim(self.storage, number, now=self.clock.now(), handler=ME):
            claimed = ClaimedTask.of(record, self.clock.monotonic())
            self.state.settle(claimed, lambda task, now: Settlement.succeeded(task, now, "1"))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_batch_of_outcomes_is_counted_with_the_lag_of_each(bench: Bench):
    bench.end_tasks(3)
    bench.clock.move(0.2)
    bench.settle.send(DirectRunner())
    tally = bench.state.tally
    assert (tally.settlements.sum, sum(tally.settlements.numbers)) == (3, 1)
    assert tally.lags.sum == pytest.approx(0.6)
    assert tally.lags.numbers[tally.lags.bounds.index(0.25)] == 3
    assert tally.late == tally.unstorable == 0


def test_an_outcome_that_is_refused_is_counted_as_late(bench: Bench):
    bench.end_tasks(2)
    steps.save(bench.storage, steps.task(bench.storage, 1).cancel(bench.clock.now()))
    bench.settle.send(DirectRunner())
    assert bench.state.tally.late == 1


def test_an_outcome_of_which_nothing_can_be_stored_is_counted(bench: Bench):
    bench.end_tasks(1)
    outbox = bench.state.outbox
    outbox.writing, outbox.fresh = [*outbox.fresh], []
    bench.settle._writer.on_answer(outbox, SettleResult(unstorable=outbox.writing))
    assert bench.state.tally.unstorable == 1


def test_a_claim_is_counted_unless_it_took_nothing(bench: Bench):
    for number in (0, 1, 7, 5000):
        bench.state.tally.record_claim(number)
    claims = bench.state.tally.claims
    assert [bound for bound, number in zip(claims.bounds, claims.numbers, strict=False) if number] == [1, 10]
    assert claims.numbers[-1] == 1


def test_a_handler_is_ready_while_it_renews_its_leases_and_claims(bench: Bench):
    assert not bench.state.is_renewed_within(LEASE)
    bench.renew.send(DirectRunner())
    assert bench.state.is_renewed_within(LEASE)
    bench.clock.move(LEASE)
    assert not bench.state.is_renewed_within(LEASE)
    bench.renew.send(DirectRunner())
    bench.state.draining = True
    assert not bench.state.is_renewed_within(LEASE)
