"""A place of the executor: one child, and after its end another, with the run that goes on there."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from adapters.executors.functions.failures import crashed
from adapters.executors.process import reports
from adapters.executors.process.frames import Broken, Frame, Kind
from adapters.executors.process.loop import Loop
from adapters.executors.process.supervised import Supervised
from application.ports.executor import Described, Event, Failed, Run, Succeeded
from domain.failure import Failure
from domain.ids import Hold

GRACE = 0.5
"""Seconds that a function has to clean up, if it can see that it should."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0
"""Seconds before a child is replaced that died while it ran nothing: twice as many each time."""
LAST_GASP = 0.1
"""Seconds between the end of a child's pipe and that of the child, if it is about to end."""
POLL = 0.05
"""Seconds between two looks for a dead child, where the system does not tell."""


class Owner(Protocol):
    """Whom a place tells what happens there."""

    def happened(self, event: Event) -> None:
        """The port's business."""
        ...

    def ready(self, place: "Place") -> None:
        """It can take a run."""
        ...

    def lost(self, place: "Place") -> None:
        """It can't take one, although it may have been ready."""
        ...

    def gave_back(self, run: Run) -> None:
        """The child died before the run reached it."""
        ...

    def knows(self, functions: bytes) -> bool:
        """Whether these functions have been described, or soon will be."""
        ...

    def unusable(self, why: str) -> None:
        """The functions cannot be imported."""
        ...


@dataclass(slots=True)
class Current:
    """The run that goes on. `ended` is what it has been stopped with; `is_attentive` if its function can see that."""

    number: int
    run: Run
    is_attentive: bool = False
    ended: Failure | None = None


class Place:
    """Tells its owner what happens; the owner starts a run only after it was told that the place is ready."""

    def __init__(self, make: Callable[[], Supervised], loop: Loop, owner: Owner) -> None:
        self._make, self._loop, self._owner = make, loop, owner
        self._child: Supervised | None = None
        self._current: Current | None = None
        self._was_ready = self._is_worn = self._is_doomed = False
        self._pause = FIRST_PAUSE

    def open(self) -> None:
        """Start a child. OSError if the system does not let us."""
        child = self._child = self._make()
        self._was_ready = self._is_worn = self._is_doomed = False
        self._loop.listen(child.outbox, self._hear)
        if child.death is not None:
            self._loop.listen(child.death, self._see_death)
        else:
            self._loop.later(POLL, self._look_for_death)

    def start(self, number: int, run: Run) -> None:
        """Hand the child a run, under a number that no other has."""
        self._current = Current(number, run)
        try:
            self._alive.start(number, run)
        except ConnectionError:  # it is dead, which is seen soon
            self._current = None
            self._owner.gave_back(run)

    def end(self, hold: Hold, failure: Failure) -> None:
        """Stop that run, unless its outcome has arrived."""
        self._hear()
        current = self._current
        if current is None or current.run.hold != hold or current.ended is not None:
            return
        current.ended = failure
        if self._alive.take_back():
            self._settle(current, Failed(hold, failure))
        elif current.is_attentive:
            self._alive.cancel(current.number)
            self._loop.later(GRACE, partial(self._end_grace, current))
        else:
            self._kill()

    def close(self) -> None:
        """End the child and what it has started."""
        if self._child is not None:
            self._child.kill()
            self._bury(self._child)

    @property
    def _alive(self) -> Supervised:
        assert self._child is not None, "nobody is told that a place without a child is ready"
        return self._child

    def _hear(self) -> None:
        child = self._child
        if child is None or child.is_silent:
            return
        try:
            for frame in child.said():
                self._take(child, frame)
        except Broken:
            child.is_silent = True
            self._give_up(child, "something else wrote into the pipe between its process and the handler")
        if child.is_silent:
            self._loop.ignore(child.outbox)
            self._loop.later(LAST_GASP, partial(self._give_up, child, "its process closed the pipe to the handler"))

    def _take(self, child: Supervised, frame: Frame) -> None:
        match frame.kind:
            case Kind.READY if not self._owner.knows(frame.payload):
                child.describe()
            case Kind.READY:
                self._announce()
            case Kind.DESCRIBED:
                self._owner.happened(Described(reports.types_of(frame.payload)))
                self._announce()
            case Kind.UNUSABLE:
                self._owner.unusable(frame.payload.decode())
            case Kind.WORN:
                self._is_worn = True
            case _ if self._current is not None and self._current.number == frame.run:
                self._report(self._current, frame)

    def _report(self, current: Current, frame: Frame) -> None:
        event = reports.event(frame, current.run.hold)
        if frame.kind is Kind.STARTED:
            current.is_attentive = reports.is_attentive(frame.payload)
        if isinstance(event, Succeeded | Failed):
            self._settle(current, event)
        elif current.ended is None:
            self._owner.happened(event)

    def _settle(self, current: Current, event: Event) -> None:
        """What the run was stopped with comes before what became of it afterwards."""
        self._current = None
        self._pause = FIRST_PAUSE
        self._owner.happened(Failed(current.run.hold, current.ended) if current.ended else event)
        if self._is_worn and not self._is_doomed:
            self._kill()
        self._announce()

    def _announce(self) -> None:
        self._was_ready = True
        if not self._is_doomed:
            self._owner.ready(self)

    def _kill(self) -> None:
        self._is_doomed = True
        self._owner.lost(self)
        self._alive.kill()

    def _end_grace(self, current: Current) -> None:
        if self._current is current:
            self._kill()

    def _give_up(self, child: Supervised, why: str) -> None:
        """It cannot be understood any more."""
        if child is not self._child or self._is_doomed:
            return
        if self._current is not None:
            self._current.ended = self._current.ended or crashed(why)
        self._kill()

    def _see_death(self) -> None:
        self._is_doomed = True
        self._hear()
        child, current = self._alive, self._current
        is_unread = child.take_back()
        how = self._bury(child)
        self._owner.lost(self)
        if not self._was_ready:
            self._owner.unusable(f"the tasks cannot be imported: the process that tried {how}")
        if current is not None and is_unread and current.ended is None:
            self._current = None
            self._owner.gave_back(current.run)
        elif current is not None:
            self._settle(current, Failed(current.run.hold, crashed(f"the process that ran it {how}")))
        self._replace(at_once=self._is_worn or (current is not None and not is_unread))

    def _bury(self, child: Supervised) -> str:
        self._loop.ignore(child.outbox)
        if child.death is not None:
            self._loop.ignore(child.death)
        self._child = None
        return child.bury()

    def _replace(self, at_once: bool) -> None:
        self._loop.later(0 if at_once else self._pause, self._reopen)
        if not at_once:
            self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _reopen(self) -> None:
        try:
            self.open()
        except OSError:  # no memory, no descriptor, no process to be had now
            self._replace(at_once=False)

    def _look_for_death(self) -> None:
        if self._child is None or self._child.death is not None:
            return
        if self._child.has_died():
            self._see_death()
        else:
            self._loop.later(POLL, self._look_for_death)
