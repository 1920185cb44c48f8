"""Parts of `up` alone: which ends of a process end the service, and interrupts that get lost."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue

import pytest

from entrypoints.settings import Settings
from entrypoints.startup import CONFIGURATION_EXIT_CODE
from entrypoints.up.interrupts import STOP_SIGNALS, Interrupt, Interrupts
from entrypoints.up.restarter import Restarter
from entrypoints.up.service import metrics_port


@dataclass
class Part:
    """Ends with the exit status of a wrong configuration each time."""

    has_been_ready: bool
    name: str = "the handler"
    starts: SimpleQueue[None] = field(default_factory=SimpleQueue)

    def start(self) -> None:
        self.starts.put(None)

    def wait(self) -> int:
        return CONFIGURATION_EXIT_CODE

    def end(self) -> None: ...

    def drain(self) -> None: ...

    def kill(self) -> None: ...


def test_a_process_that_cannot_start_with_its_configuration_ends_the_service():
    reasons: SimpleQueue[str] = SimpleQueue()
    Restarter(Part(has_been_ready=False), reasons.put).start()
    assert "the handler cannot run with this configuration" in reasons.get(timeout=10)


def test_a_process_that_was_ready_once_is_tried_again_with_a_configuration_that_has_become_wrong():
    part = Part(has_been_ready=True)
    reasons: SimpleQueue[str] = SimpleQueue()
    restarter = Restarter(part, reasons.put)
    restarter.start()
    for _ in range(3):
        part.starts.get(timeout=10)
    restarter.stop()
    restarter.join()
    assert reasons.empty()


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    yield Interrupts()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_an_interrupt_that_was_swallowed_is_raised_at_the_next_check(interrupts: Interrupts):
    interrupts.check()
    with pytest.raises(Interrupt):
        signal.raise_signal(signal.SIGTERM)
    with pytest.raises(Interrupt):
        interrupts.check()


def test_the_handler_and_the_janitor_of_a_machine_have_ports_of_their_own_for_metrics():
    settings = Settings(metrics_port=9464)
    assert [metrics_port(module, settings) for module in ("handler", "janitor")] == ["9464", "9465"]
    assert metrics_port("janitor", Settings()) == ""
