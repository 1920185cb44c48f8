"""List the handlers, with the tasks that they run, and the janitors."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.cached import Cached
from application.ports.clock import Clock
from application.ports.monitoring import HandlerRecord, HeldTasks, JanitorRecord, Liveness
from application.ports.unit_of_work import Begin

MAX_RUNNING_SHOWN = 100
"""Running tasks of a handler that are shown. A handler runs as many at once as it has slots."""
MAX_SILENT_SHOWN = 100
"""Silent handlers that are shown, and silent janitors."""


@dataclass(frozen=True, slots=True)
class HandlerView:
    """A handler, its state, and the tasks that it holds.

    `idle`: the number of its slots that run nothing; None if the number of its slots is not known.
    """

    record: HandlerRecord
    state: Liveness
    held: HeldTasks

    @property
    def idle(self) -> int | None:
        # Outcomes that are not written yet still count as running.
        return None if self.record.concurrency is None else max(0, self.record.concurrency - self.held.started)


@dataclass(frozen=True, slots=True)
class JanitorView:
    """A janitor and its state."""

    record: JanitorRecord
    state: Liveness


@dataclass(frozen=True, slots=True)
class Processes:
    """The handlers and the janitors: first those that live, then silent ones."""

    handlers: Sequence[HandlerView]
    janitors: Sequence[JanitorView]


class ListHandlers:
    """Lists handlers and janitors, read at most once a second."""

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock
        self._cached = Cached(self._read, clock)

    def __call__(self) -> Processes:
        """All that live, and the silent ones of the last day as far as they are shown."""
        return self._cached()

    def _read(self) -> Processes:
        now = self._clock.now()
        with self._begin() as work:
            handlers = work.monitoring.handlers(now, MAX_SILENT_SHOWN)
            held = work.monitoring.held_tasks(MAX_RUNNING_SHOWN)
            janitors = work.monitoring.janitors(now, MAX_SILENT_SHOWN)
        # A handler that has no record may hold tasks until these are taken back.
        unknown = sorted(held.keys() - {handler.id for handler in handlers})
        return Processes(
            [
                HandlerView(each, each.liveness(now), held.get(each.id, HeldTasks()))
                for each in [*handlers, *(HandlerRecord(id=id) for id in unknown)]
            ],
            [JanitorView(each, each.liveness(now)) for each in janitors],
        )
