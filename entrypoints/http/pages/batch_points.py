"""The points of batches: read once a done task, and kept for the batches that were looked at last."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock

from application.ports.batches import BatchRecord
from application.ports.listing import End, Texts
from application.use_cases.read_results import ReadResults
from domain.batch import BatchCount
from domain.ids import BatchId, TaskId
from entrypoints.http.pages.results.points import Points
from entrypoints.http.pages.results.sweep_plot import Choice, SweepPlot, sweep_plot
from entrypoints.http.services import Services

MAX_BATCHES = 4
"""Batches whose points are kept."""
MAX_TASKS = 10_000
"""Done tasks of a batch that are read: the first by their ends, as many as a sweep has at most."""
MAX_READ_BYTES = 64 * 1024 * 1024
"""Bytes of arguments and results that are read of one batch."""
OVERLAP = timedelta(seconds=5)
"""Time by which a look begins before the last end: an end may be stored a little after a later one."""


@dataclass(frozen=True, slots=True)
class FoundPlot:
    """The plot of a batch.

    - `tasks`: the number of done tasks that were read; `unread`: that of those which are too large.
    - `is_full`: whether there may be more.
    """

    sweep: SweepPlot
    tasks: int
    unread: int
    is_full: bool


@dataclass
class BatchPoints:
    """The points of one batch as far as they are known. `tasks`: the done tasks that were looked at."""

    points: Points = field(default_factory=Points)
    tasks: set[TaskId] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)
    _bytes: int = 0
    _after: End | None = None
    _counts: tuple[int, int] = (0, 0)

    @property
    def is_full(self) -> bool:
        """Whether no more tasks are read."""
        return len(self.tasks) >= MAX_TASKS or self._bytes >= MAX_READ_BYTES

    def update(self, read: ReadResults, record: BatchRecord) -> None:
        """Read the done tasks that are not known yet, if there may be any."""
        of_status = record.counts.by_status
        done, deleted = (of_status.get(each, 0) for each in (BatchCount.DONE, BatchCount.DELETED))
        if (done, deleted) == self._counts or self.is_full:
            return
        self._read(read, record.batch.id)
        if len(self.tasks) < done and not self.is_full:
            # The end of a task was stored later than OVERLAP allows.
            self._after = None
            self._read(read, record.batch.id)
        self._counts = (done, deleted)

    def _read(self, read: ReadResults, batch: BatchId) -> None:
        after = self._after
        while not self.is_full and (page := read(batch, after, self.tasks)).tasks:
            for task in page.tasks:
                self._add(task.id, page.texts.get(task.id))
            after = End.of(page.tasks[-1])
            self._after = End(after.finished - OVERLAP, TaskId(0))

    def _add(self, id: TaskId, texts: Texts | None) -> None:
        if id in self.tasks:
            return
        self.tasks.add(id)
        if texts and texts.args is not None and texts.result is not None:
            self.points.add(texts.args, texts.result)
            self._bytes += len(texts.args) + len(texts.result)


class FindPlot:
    """Finds the plots of batches. Thread-safe."""

    def __init__(self, services: Services) -> None:
        self._read = services.read_results()
        self._known: OrderedDict[BatchId, BatchPoints] = OrderedDict()
        self._lock = Lock()

    def __call__(self, record: BatchRecord, choice: Choice) -> FoundPlot | None:
        """The plot of a batch; None if there is nothing to draw."""
        known = self._of(record.batch.id)
        with known.lock:
            known.update(self._read, record)
            count, looked = known.points.count, len(known.tasks)
            sweep = sweep_plot(known.points, choice)
        return FoundPlot(sweep, count, looked - count, known.is_full) if sweep else None

    def _of(self, id: BatchId) -> BatchPoints:
        with self._lock:
            known = self._known.setdefault(id, BatchPoints())
            self._known.move_to_end(id)
            while len(self._known) > MAX_BATCHES:
                self._known.popitem(last=False)
            return known
