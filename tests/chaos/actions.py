"""The actions of the schedule: each injects one fault into the service, and ends it after its time."""

import signal
from collections.abc import Callable, Mapping
from contextlib import suppress

import psutil
import psycopg2

from tests.chaos.schedule import Step
from tests.chaos.service import ServiceUnderTest
from tests.chaos.service_process import ServiceProcess

Victim = Callable[[ServiceUnderTest, Step], ServiceProcess]


def handler(service: ServiceUnderTest, step: Step) -> ServiceProcess:
    """The handler that the step targets."""
    return service.handlers[step.target % len(service.handlers)]


def janitor(service: ServiceUnderTest, step: Step) -> ServiceProcess:
    """The janitor that the step targets."""
    return service.janitors[step.target % len(service.janitors)]


def api(service: ServiceUnderTest, step: Step) -> ServiceProcess:
    """The API, of which there is one."""
    return service.api


def kill(victim: Victim) -> Callable[[ServiceUnderTest, Step], str]:
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


def freeze(victim: Victim) -> Callable[[ServiceUnderTest, Step], str]:
    """SIGSTOP a process, and SIGCONT it after a while."""

    def action(service: ServiceUnderTest, step: Step) -> str:
        return _freeze(service, step, victim(service, step), [])

    return action


def freeze_host(service: ServiceUnderTest, step: Step) -> str:
    """SIGSTOP a handler and its children together, as if their machine were frozen; SIGCONT them after a while."""
    process = handler(service, step)
    return _freeze(service, step, process, process.children())


def _freeze(service: ServiceUnderTest, step: Step, process: ServiceProcess, children: list[psutil.Process]) -> str:
    frozen = [*([psutil.Process(process.pid)] if process.is_alive else []), *children]
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


def partition(victim: Victim) -> Callable[[ServiceUnderTest, Step], str]:
    """Deliver nothing between a process and the database for a while."""

    def action(service: ServiceUnderTest, step: Step) -> str:
        process = victim(service, step)
        end_fault = service.begin_fault(step.action, process.pid)
        process.proxy.block()

        def reconnect() -> None:
            process.proxy.unblock()
            end_fault()

        service.call_later(step.seconds, reconnect)
        return process.name

    return action


def break_connections(service: ServiceUnderTest, step: Step) -> str:
    """Break every database connection of one process."""
    process = service.processes[step.target % len(service.processes)]
    process.proxy.break_connections()
    return process.name


def terminate_backends(service: ServiceUnderTest, step: Step) -> str:
    """Have the server end some connections."""
    if not service.is_server_available:
        return "nothing, it is away"
    number = 1 + step.target % 8
    with suppress(psycopg2.Error):
        service.server.terminate_backends(number)
    return f"{number}"


def hold_rows(service: ServiceUnderTest, step: Step) -> str:
    """Lock the rows of running tasks for a while, as a process does that is frozen within a transaction."""
    if not service.is_server_available:
        return "nothing, it is away"
    number = 1 + step.target % 3
    with suppress(psycopg2.Error):
        service.call_later(step.seconds, service.server.hold_rows(number))
        service.record_fault(step.action, None, step.seconds)
    return f"of {number}"


def end_server(how: signal.Signals) -> Callable[[ServiceUnderTest, Step], str]:
    """End the server by that signal, and start it again after a while."""

    def begin(service: ServiceUnderTest, step: Step) -> Callable[[], None]:
        service.server.end(how)
        return service.server.start

    return _on_server(begin)


def freeze_server(service: ServiceUnderTest, step: Step) -> Callable[[], None]:
    """Freeze all processes of the server, and resume them after a while."""
    service.server.freeze()
    return service.server.resume


def _on_server(
    begin: Callable[[ServiceUnderTest, Step], Callable[[], None]],
) -> Callable[[ServiceUnderTest, Step], str]:
    """The action that lets one fault at a time affect the server."""

    def action(service: ServiceUnderTest, step: Step) -> str:
        if not service.is_server_available:
            return "nothing, it is away"
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


ACTIONS: Mapping[str, Callable[[ServiceUnderTest, Step], str]] = {
    "kill_handler": kill(handler),
    "kill_child": kill_child,
    "kill_janitor": kill(janitor),
    "kill_api": kill(api),
    "drain_handler": drain,
    "freeze_handler": freeze(handler),
    "freeze_host": freeze_host,
    "freeze_child": freeze_child,
    "freeze_janitor": freeze(janitor),
    "freeze_api": freeze(api),
    "partition_handler": partition(handler),
    "partition_janitor": partition(janitor),
    "partition_api": partition(api),
    "break_connections": break_connections,
    "terminate_backends": terminate_backends,
    "hold_rows": hold_rows,
    "restart_server": end_server(signal.SIGINT),
    "abort_server": end_server(signal.SIGQUIT),
    "kill_server": end_server(signal.SIGKILL),
    "freeze_server": _on_server(freeze_server),
}
