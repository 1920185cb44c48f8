"""Follow many tasks: their states now, and after each change, until all of them have finished."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from math import inf
from typing import NamedTuple

from application.change_feed import ChangeFeed
from application.coalescing import Coalesced
from application.errors import StorageUnavailable, TooManyTasks
from application.ports.autocommit import AutocommitStore
from application.ports.clock import Clock
from application.ports.listing import ANY_STATUS, Filter, Found
from application.ports.task_repository import LARGE_BYTES, UNKNOWN_VERSION, TaskRecord
from application.ports.unit_of_work import Begin
from application.subscriber import Subscriber
from application.use_cases.follow_task import HEARTBEAT_SECONDS
from application.use_cases.view_task import ViewTask
from application.view import View, Viewer
from domain.ids import BatchId, TaskId
from domain.status import FINAL
from domain.task import Task

MAX_TASKS = 10_000
"""Unfinished tasks of one follower at most. Of the finished ones the newest are shown, up to this number in all."""
LOOK_SECONDS, MIN_REST_PER_LOOK = 1.0, 20
"""Seconds between two looks for new tasks, and the smallest ratio of this rest to the look before it."""
LOOK_TASKS = 100
"""Tasks of one step among the newest, which are looked through until a step finds no new one."""
WALK_TASKS = 1_000
"""Tasks of the step that each look goes through all of the others, since an older one may begin to match."""
MAX_FINISHED_STEPS = 100
"""Steps of the search for the finished tasks that are shown at the beginning."""
UNFINISHED = ANY_STATUS - FINAL

States = Mapping[TaskId, TaskRecord | None]
"""Tasks by id, each as a summary; None for one that is gone."""


class Step(NamedTuple):
    """A step of a search."""

    filter: Filter
    before: TaskId | None
    limit: int


class Search:
    """Searches tasks. Threads that search at the same moment share one transaction, and equal steps."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._find = Coalesced(self._found)

    def __call__(self, step: Step) -> Found:
        """The tasks that a step finds."""
        return self._find(step)

    def _found(self, steps: Sequence[Step]) -> Sequence[Found]:
        with self._begin() as work:
            found = {step: work.listing.search(*step) for step in {*steps}}
        return [found[step] for step in steps]


class Arrivals:
    """Finds the tasks that begin to match a filter, which are mostly new ones.

    - `known`: the tasks that were shown.
    - `floor`: the finished tasks with lower ids count as shown.
    """

    def __init__(self, search: Search, clock: Clock, filter: Filter, known: Collection[TaskId], floor: TaskId) -> None:
        self._search = search
        self._clock = clock
        self._filter = filter
        self._known = {*known}
        self._floor = floor
        self._walked_to: TaskId | None = None
        self._due_at = clock.monotonic() + LOOK_SECONDS

    def due(self, followed: Collection[TaskId]) -> Sequence[TaskId]:
        """The tasks that have begun to match; none before the next look is due."""
        return self.found(followed) if self._clock.monotonic() >= self._due_at else []

    def found(self, followed: Collection[TaskId]) -> Sequence[TaskId]:
        """The tasks that have begun to match since the last look. `followed`: those that have not finished."""
        began = self._clock.monotonic()
        with suppress(StorageUnavailable):
            new = list(dict.fromkeys([*self._newest(followed), *self._older(followed)]))
            self._known.update(new)
            self._forget_old()
            now = self._clock.monotonic()
            self._due_at = now + max(LOOK_SECONDS, MIN_REST_PER_LOOK * (now - began))
            return new
        return []

    def _newest(self, followed: Collection[TaskId]) -> Iterator[TaskId]:
        before = None
        while True:
            found = self._search(Step(self._filter, before, LOOK_TASKS))
            new = self._new(found.tasks, followed)
            yield from new
            if not new or found.next is None:
                return
            before = found.next

    def _older(self, followed: Collection[TaskId]) -> Iterator[TaskId]:
        """Go one step further through all matching tasks, and begin again behind the last one."""
        found = self._search(Step(self._filter, self._walked_to, WALK_TASKS))
        self._walked_to = found.next
        yield from self._new(found.tasks, followed)

    def _new(self, tasks: Sequence[Task], followed: Collection[TaskId]) -> Sequence[TaskId]:
        return [
            task.id
            for task in tasks
            if (self._is_unknown(task.id) if task.status.is_final else task.id not in followed)
        ]

    def _is_unknown(self, finished: TaskId) -> bool:
        return finished > self._floor and finished not in self._known

    def _forget_old(self) -> None:
        """Forget the oldest known tasks, so that a follower of very many costs no more and more memory."""
        if len(self._known) > 2 * MAX_TASKS:
            newest = sorted(self._known)[-MAX_TASKS:]
            self._known, self._floor = {*newest}, max(self._floor, newest[0])


class TasksFollower:
    """The states of many tasks. The caller has to close it.

    - `first`: the states at the beginning.
    - `is_open`: tells whether tasks may be added to the batch that is followed. `was_open`: whether they might before
      these states were read.
    """

    def __init__(
        self,
        first: States,
        change_feed: ChangeFeed,
        arrivals: Arrivals | None,
        is_open: Callable[[], bool],
        was_open: bool,
    ) -> None:
        self.first = first
        self._change_feed = change_feed
        self._arrivals = arrivals
        self._is_open = is_open
        self._stack = ExitStack()
        self._subscriber: Subscriber[TaskRecord] | None = None
        unfinished = {id: each.version for id, each in first.items() if each and not each.task.status.is_final}
        self.is_over = not (unfinished or was_open)
        if not self.is_over:
            self._subscriber = self._stack.enter_context(change_feed.subscribe_to_set(unfinished))

    @property
    def was_turned_away(self) -> bool:
        """Whether no states follow the first ones, since the change feed has admitted no more subscribers."""
        return self._subscriber is None and not self.is_over

    def close(self) -> None:
        """Stop following. A second call does nothing."""
        self._stack.close()

    def later(self) -> Iterator[States]:
        """The states of changed tasks, as often as some have changed; no states after a while without a change.

        States in between may merge; the last one of each task always comes. It ends when all tasks have finished or are
        gone and their batch is not open, when too many have begun to match, and when the change feed is closed.
        """
        pause = LOOK_SECONDS if self._arrivals else HEARTBEAT_SECONDS
        while (subscriber := self._subscriber) and self._goes_on(subscriber):
            changes = subscriber.next(pause)
            if not changes and subscriber.has_ended:
                return
            yield changes
            if self._arrivals:
                self._welcome(subscriber, self._arrivals.due(subscriber.seen))

    def _goes_on(self, subscriber: Subscriber[TaskRecord]) -> bool:
        if not subscriber.is_done:
            return True
        # Before the look: a task may be added in between, and the batch closed then.
        was_open = self._is_open()
        return self._welcomes_last_arrivals(subscriber) or was_open

    def _welcomes_last_arrivals(self, subscriber: Subscriber[TaskRecord]) -> bool:
        """Follow the tasks that have begun to match since the last look; whether there are any."""
        return bool(self._arrivals and self._welcome(subscriber, self._arrivals.found(subscriber.seen)))

    def _welcome(self, subscriber: Subscriber[TaskRecord], arrivals: Sequence[TaskId]) -> bool:
        if subscriber.awaited + len(arrivals) > MAX_TASKS:
            subscriber.end()
        elif arrivals:
            self._change_feed.extend(subscriber, arrivals)
        return bool(arrivals)


class FollowTasks:
    """Follows the tasks that match a filter, and those that begin to match it, unless it names its tasks by their ids.

    A task that matched once is followed until it has finished.

    Raises TooManyTasks: more than MAX_TASKS that have not finished match.
    """

    def __init__(
        self,
        begin: Begin,
        storage: AutocommitStore,
        clock: Clock,
        change_feed: ChangeFeed,
        view: ViewTask,
        viewer: Viewer,
    ) -> None:
        self._begin = begin
        self._search = Search(begin)
        self._storage = storage
        self._clock = clock
        self._change_feed = change_feed
        self._view = view
        self._viewer = viewer

    def __call__(self, filter: Filter) -> TasksFollower:
        """The states of the tasks from now on. An id of the filter that has no task is one that is gone."""
        batch = filter.batch if filter.ids is None else None
        was_open = self._is_open(batch)
        unfinished = self._unfinished(filter)
        finished = self._finished(filter, max(1, MAX_TASKS - len(unfinished)))
        found = {task.id for task in (*unfinished, *finished.tasks)}
        states = self._storage.changed(dict.fromkeys(sorted(found | (filter.ids or set())), UNKNOWN_VERSION))
        first = {id: states[id] for id in sorted(states) if id in found or states[id] is None}
        arrivals = Arrivals(self._search, self._clock, filter, found, finished.next or TaskId(0))
        return TasksFollower(
            first,
            self._change_feed,
            arrivals if filter.ids is None else None,
            is_open=lambda: self._is_open(batch),
            was_open=was_open,
        )

    def _is_open(self, batch: BatchId | None) -> bool:
        """Whether tasks may be added to the batch, so far as is known."""
        if batch is None:
            return False
        with suppress(StorageUnavailable), self._begin() as work:
            record = work.batches.get(batch)
            return record is not None and record.batch.is_open
        return True

    def _unfinished(self, filter: Filter) -> Sequence[Task]:
        """All tasks that match and have not finished. Raises TooManyTasks."""
        found = self._first(_among(filter, UNFINISHED), MAX_TASKS + 1)
        if len(found.tasks) > MAX_TASKS:
            raise TooManyTasks(MAX_TASKS)
        return found.tasks

    def _finished(self, filter: Filter, number: int) -> Found:
        """The newest tasks that match and have finished, at most this number of them."""
        return self._first(_among(filter, FINAL), number, MAX_FINISHED_STEPS)

    def _first(self, filter: Filter, number: int, max_steps: float = inf) -> Found:
        """The newest tasks that match. A step may look at others alone, and then the next one goes on behind these."""
        tasks, step, steps = list[Task](), Step(filter, None, number), 0
        while True:
            found = self._search(step)
            tasks += found.tasks
            steps += 1
            if found.next is None or len(tasks) >= number or steps >= max_steps:
                return Found(tasks, found.next)
            step = Step(filter, found.next, number - len(tasks))

    def whole(self, ids: Sequence[TaskId]) -> Iterator[View]:
        """View tasks with their arguments and results. Large ones are read one by one; those that are gone are omitted.

        Raises StorageUnavailable, UnreadableTask, UnknownTask: a task cannot be read, or was deleted meanwhile.
        """
        found = self._storage.get_many(ids, LARGE_BYTES)
        for id in ids:
            if id in found:
                yield self._view(id) if found[id].is_summary else self._viewer(found[id])


def _among(filter: Filter, statuses: Collection[object]) -> Filter:
    return replace(filter, statuses=filter.statuses.intersection(statuses))
