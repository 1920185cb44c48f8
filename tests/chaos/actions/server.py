"""Faults of the server: it ends, freezes, fails over to a standby, has a wrong clock or a full disk."""

import signal
from collections.abc import Callable

import psycopg2

from tests.chaos.actions.action import Action, Undo
from tests.chaos.schedule import Step
from tests.chaos.service import ServiceUnderTest
from tests.chaos.standby import Standby

FAILOVER_RETRY_SECONDS = 0.3
CLOCK_STEPS_SECONDS = (-3600, -600, -20, 20, 600, 3600)


def end_server(how: signal.Signals) -> Action:
    """End the server by that signal, and start it again after a while."""

    def begin(service: ServiceUnderTest, step: Step) -> Undo:
        service.server.end(how)
        return service.server.start

    return on_server(begin)


def freeze_server(service: ServiceUnderTest, step: Step) -> Undo:
    """Freeze all processes of the server, and resume them after a while."""
    service.server.freeze()
    return service.server.resume


def on_server(begin: Callable[[ServiceUnderTest, Step], Undo]) -> Action:
    """The action that lets one fault at a time affect the server."""

    def action(service: ServiceUnderTest, step: Step) -> str | None:
        if not service.is_server_available:
            return None
        service.is_server_available = False
        end_fault = service.begin_fault(step.action, None)
        undo = begin(service, step)

        def restore() -> None:
            undo()
            end_fault()
            service.is_server_available = True

        service.call_later(step.seconds, restore)
        return ""

    return action


def fail_over_server(service: ServiceUnderTest, step: Step) -> str | None:
    """Take a standby now, and a while later end the primary at once: the commits of that time are lost."""
    if not service.is_server_available or service.has_standby:
        return None
    try:
        standby = service.server.take_standby()
    except psycopg2.Error:  # another fault has taken all connections, for example
        return None
    service.has_standby = True
    service.call_later(step.seconds, lambda: _promote(service, step, standby))
    return ""


def _promote(service: ServiceUnderTest, step: Step, standby: Standby) -> None:
    if not service.is_server_available:
        service.call_later(FAILOVER_RETRY_SECONDS, lambda: _promote(service, step, standby))
        return
    end_fault = service.begin_fault(step.action, None)
    service.server.fail_over(standby)
    end_fault()
    service.has_standby = False


def set_clock_of_server(service: ServiceUnderTest, step: Step) -> str:
    """Set the clock of the server's host, and set it back after a while."""
    seconds = CLOCK_STEPS_SECONDS[step.target % len(CLOCK_STEPS_SECONDS)]
    end_fault = service.begin_fault(step.action, None)
    service.server.clock.set_by(seconds)

    def set_back() -> None:
        service.server.clock.set_by(0)
        end_fault()

    service.call_later(step.seconds, set_back)
    return f"{seconds:+d} s"


def fill_disk_of_server(service: ServiceUnderTest, step: Step) -> Undo:
    """Leave the server no space, which may end it; after a while give the space back and start it again."""
    assert service.disk
    service.disk.fill()

    def give_back() -> None:
        assert service.disk
        service.disk.empty()
        service.server.start()

    return give_back
