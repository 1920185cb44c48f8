"""The dispatcher over slots whose children have not received anything yet."""

from typing import cast

from adapters.executors.process.pool.dispatched_run import DispatchedRun
from adapters.executors.process.pool.dispatcher import Dispatcher
from adapters.executors.process.pool.run_queue import SHORT_RUN_SECONDS, RunQueue
from adapters.executors.process.pool.slot import Slot
from application.ports.executor import Failed, Run, Span, Succeeded
from domain.failure import Failure
from domain.ids import Claim, HandlerId, Hold, TaskId, TypeName

ADD = TypeName("add")


class UnreceivingSlot:
    """A slot whose child receives no run, so that every run can be taken back."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self.queue = RunQueue()
        self.is_open = True

    @property
    def capacity(self) -> int:
        return self.queue.capacity if self.is_open else 0

    @property
    def is_overloaded(self) -> bool:
        return self.queue.is_overloaded and self.is_open

    @property
    def is_idle(self) -> bool:
        return not self.queue.runs

    @property
    def seconds(self) -> float:
        return self.queue.seconds

    def start(self, run: DispatchedRun) -> None:
        self.queue.append(run)
        self.tell()

    def take_back(self) -> None:
        self.is_open = False
        self.tell()
        self._dispatcher.on_returned([each.run for each in self.queue.clear()])
        self.is_open = True
        self.tell()

    def tell(self) -> None:
        self._dispatcher.on_capacity_changed(cast(Slot, self))


def run(number: int) -> Run:
    return Run(Hold(TaskId(number), Claim(1), HandlerId("handler-1")), ADD, 1, "{}")


def test_rebalancing_ends_though_no_child_receives_its_runs() -> None:
    dispatcher = Dispatcher(lambda _: None)
    busy, idle = UnreceivingSlot(dispatcher), UnreceivingSlot(dispatcher)
    busy.tell()
    dispatcher.start(run(0))
    dispatcher.on_ended(run(0), Succeeded(run(0).hold, "1"), Span(0, SHORT_RUN_SECONDS / 2))
    busy.queue.clear()
    busy.tell()
    for number in (1, 2):
        dispatcher.start(run(number))
    assert len(busy.queue.runs) == 2
    idle.tell()
    dispatcher.rebalance()
    assert sorted(each.run.hold.task for slot in (busy, idle) for each in slot.queue.runs) == [1, 2]


def test_a_run_with_which_three_children_have_died_before_it_began_has_crashed() -> None:
    dispatcher = Dispatcher(lambda _: None)
    slot = UnreceivingSlot(dispatcher)
    slot.tell()
    for death in range(3):
        # The task is given back after each death, and is claimed again.
        again = run(7)._replace(hold=Hold(TaskId(7), Claim(death), HandlerId("handler-1")))
        dispatcher.start(again)
        slot.is_open = False
        dispatcher.on_unbegun([each.run for each in slot.queue.clear()], "was killed by SIGSEGV")
        assert list(dispatcher.recall()) == ([again.hold] if death < 2 else [])
        slot.is_open = True
        slot.tell()
    (event,) = dispatcher.take_events()
    reason = "3 processes ended before they began to run it: the last one was killed by SIGSEGV"
    assert event == Failed(again.hold, Failure("Crashed", reason))
