"""Faults of the lines between processes and the database: cut in one direction or both, slow, or broken."""

from collections.abc import Callable

from tests.chaos.actions.action import Action, Victim, any_process
from tests.chaos.proxies import Proxy
from tests.chaos.schedule import Step
from tests.chaos.service import ServiceUnderTest

BYTES_PER_SECOND = 1_000_000
MAX_LATENCY_SECONDS = 0.6
SLOW_FACTOR = 3
"""Megabytes take their time on a slow line, so it is slow for longer than other faults last."""


def partition(victim: Victim, block: Callable[[Proxy], None] = Proxy.block) -> Action:
    """Deliver nothing between a process and the database for a while, in the directions that `block` blocks."""

    def action(service: ServiceUnderTest, step: Step) -> str:
        process = victim(service, step)
        end_fault = service.begin_fault(step.action, process.pid)
        block(process.proxy)

        def reconnect() -> None:
            process.proxy.unblock()
            end_fault()

        service.call_later(step.seconds, reconnect)
        return process.name

    return action


def slow_line(service: ServiceUnderTest, step: Step) -> str:
    """Slow the line of a process down for a while: 1 MB/s, and up to 0.6 s for a round trip."""
    process = any_process(service, step)
    end_fault = service.begin_fault(step.action, process.pid)
    process.proxy.slow_down(BYTES_PER_SECOND, MAX_LATENCY_SECONDS * (step.target % 5) / 4)

    def speed_up() -> None:
        process.proxy.speed_up()
        end_fault()

    service.call_later(step.seconds * SLOW_FACTOR, speed_up)
    return process.name


def break_connections(service: ServiceUnderTest, step: Step) -> str:
    """Break every database connection of one process."""
    process = service.processes[step.target % len(service.processes)]
    process.proxy.break_connections()
    return process.name
