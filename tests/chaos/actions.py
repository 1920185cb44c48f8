"""The actions of the schedule: each does one thing to the world, and sees to it that it ends."""

import signal
from collections.abc import Callable, Mapping
from contextlib import suppress

import psutil
import psycopg2

from tests.chaos.schedule import Step
from tests.chaos.slot import Slot
from tests.chaos.world import World

Victim = Callable[[World, Step], Slot]


def handler(world: World, step: Step) -> Slot:
    """One of them."""
    return world.handlers[step.target % len(world.handlers)]


def janitor(world: World, step: Step) -> Slot:
    """One of them."""
    return world.janitors[step.target % len(world.janitors)]


def api(world: World, step: Step) -> Slot:
    """The only one."""
    return world.api


def kill(victim: Victim) -> Callable[[World, Step], str]:
    """SIGKILL; another process takes its place after a while."""

    def action(world: World, step: Step) -> str:
        slot = victim(world, step)
        world.note(step.action, slot.pid)
        slot.end(signal.SIGKILL, step.seconds / 3)
        return slot.name

    return action


def drain(world: World, step: Step) -> str:
    """SIGTERM: it finishes what it can, and gives back the rest."""
    slot = handler(world, step)
    world.note(step.action, slot.pid, seconds=30)
    slot.end(signal.SIGTERM)
    return slot.name


def freeze(victim: Victim) -> Callable[[World, Step], str]:
    """SIGSTOP, and SIGCONT after a while."""

    def action(world: World, step: Step) -> str:
        return _freeze(world, step, victim(world, step), [])

    return action


def freeze_host(world: World, step: Step) -> str:
    """A handler and its children stand still together, as if their machine did."""
    slot = handler(world, step)
    return _freeze(world, step, slot, slot.children())


def _freeze(world: World, step: Step, slot: Slot, children: list[psutil.Process]) -> str:
    process = psutil.Process(slot.pid) if slot.is_alive else None
    frozen = [*([process] if process else []), *children]
    end = world.begin(step.action, slot.pid)
    _signal(frozen, signal.SIGSTOP)

    def thaw() -> None:
        _signal(frozen, signal.SIGCONT)
        end()

    world.later(step.seconds, thaw)
    return slot.name


def kill_child(world: World, step: Step) -> str:
    """SIGKILL for one that runs functions."""
    slot = handler(world, step)
    _signal(_a_child(slot, step), signal.SIGKILL)
    return f"of {slot.name}"


def freeze_child(world: World, step: Step) -> str:
    """SIGSTOP for one that runs functions, and SIGCONT after a while."""
    slot = handler(world, step)
    child = _a_child(slot, step)
    _signal(child, signal.SIGSTOP)
    world.later(step.seconds, lambda: _signal(child, signal.SIGCONT))
    return f"of {slot.name}"


def _a_child(slot: Slot, step: Step) -> list[psutil.Process]:
    children = slot.children()
    return [children[step.target % len(children)]] if children else []


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def partition(victim: Victim) -> Callable[[World, Step], str]:
    """What it says to the database, and hears from it, is swallowed for a while."""

    def action(world: World, step: Step) -> str:
        slot = victim(world, step)
        end = world.begin(step.action, slot.pid)
        slot.line.swallow()

        def heal() -> None:
            slot.line.restore()
            end()

        world.later(step.seconds, heal)
        return slot.name

    return action


def break_lines(world: World, step: Step) -> str:
    """Every connection of one process breaks."""
    slot = world.slots[step.target % len(world.slots)]
    slot.line.cut()
    return slot.name


def terminate_backends(world: World, step: Step) -> str:
    """The server ends some connections."""
    if not world.is_server_whole:
        return "nothing, it is away"
    number = 1 + step.target % 8
    with suppress(psycopg2.Error):
        world.server.terminate_backends(number)
    return f"{number}"


def hold_rows(world: World, step: Step) -> str:
    """As a process does that stands still within a transaction: tasks that run stay locked for a while."""
    if not world.is_server_whole:
        return "nothing, it is away"
    number = 1 + step.target % 3
    with suppress(psycopg2.Error):
        world.later(step.seconds, world.server.hold_rows(number))
        world.note(step.action, None, step.seconds)
    return f"of {number}"


def end_server(how: signal.Signals) -> Callable[[World, Step], str]:
    """It ends in that way, and starts again after a while."""

    def begin(world: World, step: Step) -> Callable[[], None]:
        world.server.end(how)
        return world.server.start

    return _on_server(begin)


def freeze_server(world: World, step: Step) -> Callable[[], None]:
    """All its processes stand still."""
    world.server.freeze()
    return world.server.thaw


def _on_server(begin: Callable[[World, Step], Callable[[], None]]) -> Callable[[World, Step], str]:
    """One thing at a time is done to the server."""

    def action(world: World, step: Step) -> str:
        if not world.is_server_whole:
            return "nothing, it is away"
        world.is_server_whole = False
        end = world.begin(step.action, None)
        undo = begin(world, step)

        def make_whole() -> None:
            undo()
            end()
            world.is_server_whole = True

        world.later(step.seconds, make_whole)
        return ""

    return action


ACTIONS: Mapping[str, Callable[[World, Step], str]] = {
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
    "break_lines": break_lines,
    "terminate_backends": terminate_backends,
    "hold_rows": hold_rows,
    "restart_server": end_server(signal.SIGINT),
    "abort_server": end_server(signal.SIGQUIT),
    "kill_server": end_server(signal.SIGKILL),
    "freeze_server": _on_server(freeze_server),
}
