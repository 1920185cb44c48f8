"""The slots of an executor: as many as it has children, each replaced when it runs nothing more."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from adapters.executors.process.pool.child_limits import Limits
from adapters.executors.process.pool.child_process import ChildProcess
from adapters.executors.process.pool.event_loop import EventLoop
from adapters.executors.process.pool.slot import Slot
from adapters.executors.process.pool.slot_listener import SlotListener

FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.1, 10.0
"""Seconds before a child is replaced that died without having ended a run: twice as many each time."""
CHILDREN_A_SLOT = 2
"""Children that there may be for each slot: the one that runs, and one that ends or that gets ready."""

ROOM_SECONDS = 0.01
"""Seconds between two looks whether a child has died, so that another one may start."""


class SlotPool:
    """Keeps `size` slots that can run, each with a child of its own.

    A slot that will soon run nothing more has a successor that imports the functions meanwhile, if there is room. Only
    the loop's thread uses it.
    """

    def __init__(self, tasks: Sequence[str], directory: Path, size: int, limits: Limits, loop: EventLoop) -> None:
        self._tasks, self._directory, self._size, self._limits, self._loop = tasks, directory, size, limits, loop
        self._pauses: dict[Slot, float] = {}
        self._successors: dict[Slot, Slot] = {}
        self._succeeded: dict[Slot, None] = {}
        self._is_closing = False

    def open(self, listener: SlotListener) -> None:
        """Start the children. The listener is told what happens in their slots."""
        self._listener = listener
        for _ in range(self._size):
            self._add(FIRST_PAUSE_SECONDS)

    def prepare(self, slot: Slot) -> None:
        """Start the successor of a slot that will soon run nothing more."""
        if slot in self._pauses and slot not in self._successors and self._has_room():
            with suppress(OSError):  # the system has no memory, descriptor or process to spare now
                self._successors[slot] = self._add(FIRST_PAUSE_SECONDS, is_spare=True)

    def succeed(self, slot: Slot) -> None:
        """Put another slot in the place of one that runs nothing more. Its child may still live."""
        if slot.is_spare or self._is_closing:
            return
        self._succeeded[slot] = None
        if successor := self._successors.pop(slot, None):
            successor.promote()
        else:
            self._loop.call_later(0, partial(self._try_to_add, FIRST_PAUSE_SECONDS))

    def replace(self, slot: Slot) -> None:
        """Put another slot in the place of one that has died, unless one has taken it."""
        pause = self._pauses.pop(slot)
        if slot in self._succeeded:
            del self._succeeded[slot]
        elif slot.is_spare:
            self._successors = {each: spare for each, spare in self._successors.items() if spare is not slot}
        elif successor := self._successors.pop(slot, None):
            successor.promote()
        elif slot.has_ended_a_run:
            self._loop.call_later(0, partial(self._try_to_add, FIRST_PAUSE_SECONDS))
        else:
            self._try_later(pause)

    def drop_needless(self) -> None:
        """End the successors of slots that go on after all."""
        if self._successors:
            for slot in [each for each in self._successors if each.is_idle and each.capacity]:
                self._successors.pop(slot).kill()

    def close(self, seconds_left: Callable[[], float]) -> None:
        """Let idle children end in order while there is time, and kill all others."""
        self._is_closing = True
        while seconds_left() > 0 and [slot for slot in list(self._pauses) if slot.finish()]:
            self._loop.run_once(seconds_left())
        for slot in self._pauses:
            slot.close()

    def _has_room(self) -> bool:
        return len(self._pauses) < CHILDREN_A_SLOT * self._size

    def _make_room(self) -> None:
        """Kill the child that has had the longest time to end in order."""
        for slot in list(self._succeeded)[:1]:
            slot.kill()

    def _add(self, pause: float, is_spare: bool = False) -> Slot:
        child = ChildProcess(self._tasks, self._directory, self._limits.runs)
        slot = Slot(child, self._loop, self._listener, self._limits, is_spare)
        self._pauses[slot] = pause
        return slot

    def _try_to_add(self, pause: float) -> None:
        if self._is_closing:
            return
        if not self._has_room():
            self._make_room()
            self._loop.call_later(ROOM_SECONDS, partial(self._try_to_add, pause))
            return
        try:
            self._add(pause)
        except OSError:  # the system has no memory, descriptor or process to spare now
            self._try_later(pause)

    def _try_later(self, pause: float) -> None:
        self._loop.call_later(pause, partial(self._try_to_add, min(2 * pause, MAX_PAUSE_SECONDS)))
