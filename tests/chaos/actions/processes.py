"""Faults of processes: they are killed, frozen, drained, or have a log that nothing reads."""

import signal
from contextlib import suppress

import psutil

from tests.chaos.actions.action import Action, Victim, any_process, handler
from tests.chaos.schedule import Step
from tests.chaos.service import ServiceUnderTest
from tests.chaos.service_process import ServiceProcess


def kill(victim: Victim) -> Action:
    """SIGKILL a process; it is replaced after a while."""

    def action(service: ServiceUnderTest, step: Step) -> str:
        process = victim(service, step)
        service.record_fault(step.action, process.pid)
        process.end(signal.SIGKILL, step.seconds / 3)
        return process.name

    return action


def drain(service: ServiceUnderTest, step: Step) -> str:
    """SIGTERM a handler: it finishes the tasks that it can, and releases the others."""
    process = handler(service, step)
    service.record_fault(step.action, process.pid, seconds=30)
    process.end(signal.SIGTERM)
    return process.name


def freeze(victim: Victim) -> Action:
    """SIGSTOP a process, and SIGCONT it after a while."""

    def action(service: ServiceUnderTest, step: Step) -> str:
        return _freeze(service, step, victim(service, step), [])

    return action


def freeze_host(service: ServiceUnderTest, step: Step) -> str:
    """SIGSTOP a handler and its children together, as if their machine were frozen; SIGCONT them after a while."""
    process = handler(service, step)
    return _freeze(service, step, process, process.children())


def _freeze(service: ServiceUnderTest, step: Step, process: ServiceProcess, children: list[psutil.Process]) -> str:
    frozen = [*filter(None, [process.process()]), *children]
    end_fault = service.begin_fault(step.action, process.pid)
    _signal(frozen, signal.SIGSTOP)

    def resume() -> None:
        _signal(frozen, signal.SIGCONT)
        end_fault()

    service.call_later(step.seconds, resume)
    return process.name


def kill_child(service: ServiceUnderTest, step: Step) -> str:
    """SIGKILL a child of a handler, which runs functions."""
    process = handler(service, step)
    _signal(_child(process, step), signal.SIGKILL)
    return f"of {process.name}"


def freeze_child(service: ServiceUnderTest, step: Step) -> str:
    """SIGSTOP a child of a handler, and SIGCONT it after a while."""
    process = handler(service, step)
    child = _child(process, step)
    _signal(child, signal.SIGSTOP)
    service.call_later(step.seconds, lambda: _signal(child, signal.SIGCONT))
    return f"of {process.name}"


def _child(process: ServiceProcess, step: Step) -> list[psutil.Process]:
    children = process.children()
    return [children[step.target % len(children)]] if children else []


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def kill_container(service: ServiceUnderTest, step: Step) -> str:
    """SIGKILL a handler and all its descendants at once, as the kernel does when their container has no memory left."""
    process = handler(service, step)
    service.record_fault(step.action, process.pid)
    process.end_with_descendants(step.seconds / 3)
    return process.name


def clog_log(service: ServiceUnderTest, step: Step) -> str:
    """Stop reading the log of a process, and let its pipe be full for a while."""
    process = any_process(service, step)
    end_fault = service.begin_fault(step.action, process.pid)
    log = process.log
    log.stop_reading()

    def read_on() -> None:
        log.read_on()
        end_fault()

    service.call_later(step.seconds, read_on)
    return process.name
