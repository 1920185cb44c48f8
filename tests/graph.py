"""A random graph of tasks that wait for each other and of batches, on both storages, which agree after each step."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from random import Random
from typing import Any, NamedTuple

from adapters.clocks import ManualClock
from adapters.memory import MemoryWakeUp
from application.ports.batches import BatchRecord, NewBatch
from application.ports.listing import Filter
from application.use_cases.cancel_tasks import CancelTasks
from application.use_cases.change_tasks import ChangeTasksRequest
from application.use_cases.clean_batches import CleanBatches
from application.use_cases.close_batch import CloseBatch
from application.use_cases.delete_tasks import DeleteTasks
from application.use_cases.finish_batches import FinishBatches
from application.use_cases.retry_tasks import RetryTasks
from application.use_cases.unblock_tasks import UnblockTasks
from domain.batch import BatchCount, BatchCounts
from domain.dependencies import Dependencies, IfFailed
from domain.failure import PARENT_FAILED
from domain.ids import BatchId, TaskId
from domain.settlement import Settlement
from domain.status import RULES, Status, Verb
from domain.task import Task
from tests.steps import BOOM, PLAIN, at, claim, settle, submission
from tests.storage import Storage

MAX_TASKS = 50
MAX_RESULT_BYTES = 1000
URL = "https://example.org/finished"
FOLLOWS = Dependencies(parents=frozenset())
UNFINISHED = {Status.WAITING, Status.RUNNING}
Finish = tuple[BatchId, datetime]


class Everything(NamedTuple):
    """The tasks of a storage, and its batches with counts and deliveries."""

    tasks: Mapping[TaskId, Task]
    batches: Mapping[BatchId, BatchRecord]


@dataclass(slots=True)
class KnownBatch:
    """The model of a batch: `members` are the tasks that it has ever had, `finishes` the moments of its finishes."""

    then: TaskId | None
    is_open: bool
    members: set[TaskId] = field(default_factory=set)
    finishes: list[datetime] = field(default_factory=list)


class _NoUnblock:
    """Stands in for UnblockTasks: the graph has steps of their own for what changes leave to be decided."""

    def all(self) -> None:
        """Decide on nothing."""


class _NoTypes:
    """Stands in for KnownTypes."""

    def all(self) -> Mapping[str, Any]:
        """No type: each task has one attempt more with a retry."""
        return {}


class Graph:
    """A graph on some storages. Each step is taken on all, and must leave all the same."""

    def __init__(self, storages: Sequence[Storage], seed: int) -> None:
        self.random = Random(seed)
        self.storages = storages
        self.max_tasks = self.random.randint(3, MAX_TASKS)
        self.seconds = 0.0
        self.last_id = self.last_batch_id = 0
        self.dependencies: dict[TaskId, Dependencies] = {}
        self.tasks: Mapping[TaskId, Task] = {}
        self.batches: dict[BatchId, KnownBatch] = {}
        self.records: Mapping[BatchId, BatchRecord] = {}
        self.claimed_deliveries: list[Finish] = []

    @property
    def now(self) -> datetime:
        """The moment of the next step."""
        return at(self.seconds)

    def play(self) -> None:
        """Grow the graph and change its tasks, then let all that can run do so."""
        steps: list[tuple[int, Callable[[], object]]] = [
            (5, self.add),
            (5, self.start_and_end),
            (2, partial(self.change, Verb.CANCEL)),
            (4, partial(self.change, Verb.RETRY)),
            (1, partial(self.change, Verb.DELETE)),
            (2, self.expire),
            (3, self.unblock),
            (2, self.finish),
            (1, self.close),
            (1, self.deliver),
            (3, self.work_as_janitor),
        ]
        weights, actions = zip(*steps, strict=True)
        for action in self.random.choices(actions, weights, k=self.max_tasks):
            action()
        while any(each.is_open for each in self.batches.values()):
            self.close()
        self.work_as_janitor()
        while self.start_and_end(failing=0):
            self.work_as_janitor()
        self.check_end()

    def add(self) -> None:
        """Add a few tasks, each after some of those that are there or of those before it in the same request.

        Some are tasks of a new batch, or of one that is open.
        """
        number = self.random.randint(0 if self.random.random() < 0.1 else 1, min(5, self.max_tasks))
        is_new = self.random.random() < 0.5
        batch = None if is_new else self.random.choice([None, *self.open_batches()])
        taboo = set() if batch is None else self.after_end_of(batch)
        known = [id for id in self.tasks if id not in taboo]
        first_id, self.last_id = self.last_id + 1, self.last_id + number
        new: dict[TaskId, Dependencies | None] = {}
        for id in map(TaskId, range(first_id, first_id + number)):
            among = [*known, *new]
            parents = frozenset(self.random.sample(among, min(len(among), self.random.choice([0, 1, 1, 2, 2, 5]))))
            run_at = self.random.choice([None, at(self.seconds - 5), at(self.seconds + 5)])
            rule = self.random.choice([*IfFailed])
            refers = rule is IfFailed.FAIL and self.random.random() < 0.5
            waits = Dependencies(parents=parents, if_failed=rule, run_at=run_at, has_references=refers)
            new[id] = waits if parents else None
        submissions = [
            submission(
                now=self.now,
                ttl=self.random.choice([20, 600]),
                max_attempts=self.random.choice([1, 1, 2]),
                dependencies=each,
                run_at=each.run_at if each else None,
            )
            for each in new.values()
        ]
        self.dependencies |= {id: each for id, each in new.items() if each}
        if is_new:
            self.on_all(self.creation(new, submissions))
            return
        if batch is not None:
            self.batches[batch].members |= {*new}
        self.on_all(partial(self.store, new, submissions, batch))

    def creation(self, new: Mapping[TaskId, Dependencies | None], submissions: Sequence[Any]) -> Callable[..., None]:
        """The step that creates a batch with these tasks."""
        asked = NewBatch(
            now=self.now,
            ttl=self.random.choice([20, 600]),
            is_open=self.random.random() < 0.4,
            callback=self.random.choice([None, URL]),
        )
        follower = submission(now=self.now, ttl=self.random.choice([20, 600, 10_000]), dependencies=FOLLOWS)
        then = None
        if self.random.random() < 0.7:
            self.last_id += 1
            then = TaskId(self.last_id)
        self.last_batch_id += 1
        id = BatchId(self.last_batch_id)
        self.batches[id] = KnownBatch(then, asked.is_open, {*new})

        def create(storage: Storage) -> None:
            with storage.begin() as work:
                batch = work.batches.add(asked)
                assert batch
                assert batch.id == id
                self.store(new, submissions, id, storage, work)
                if then:
                    (added,) = work.tasks.add([follower])
                    assert added
                    assert added.id == then
                    work.batches.remember(id, (), then)
                work.commit()

        return create

    def store(
        self,
        new: Mapping[TaskId, Dependencies | None],
        submissions: Sequence[Any],
        batch: BatchId | None,
        storage: Storage,
        work: Any = None,
    ) -> None:
        """Store tasks, in a unit of work of their own or in this one."""
        if work is None:
            with storage.begin() as work:
                self.store(new, submissions, batch, storage, work)
                work.commit()
            return
        added = work.tasks.add([replace(each, batch=batch) for each in submissions])
        assert [task.id for task in added if task] == [*new]
        if dependencies := {id: each for id, each in new.items() if each}:
            assert not work.dependencies.add(dependencies)

    def parents_of(self, id: TaskId) -> frozenset[TaskId]:
        """The parents that a task was given."""
        return self.dependencies[id].parents if id in self.dependencies else frozenset()

    def open_batches(self) -> list[BatchId]:
        """The batches that take more tasks."""
        return [id for id, each in self.batches.items() if each.is_open]

    def after_end_of(self, batch: BatchId) -> set[TaskId]:
        """The tasks that wait for the end of a batch: a task of it that waits for one of them would be in a circle."""
        found: set[TaskId] = set()
        left = [self.batches[batch].then]
        while left:
            id = left.pop()
            if id is None or id in found:
                continue
            found.add(id)
            left += [child for child in self.tasks if id in self.parents_of(child)]
            left += [each.then for each in self.batches.values() if id in each.members & self.tasks.keys()]
        for storage in self.storages:
            with storage.begin() as work:
                assert work.dependencies.after_batch(batch, [*self.tasks]) == found & self.tasks.keys()
        return found

    def start_and_end(self, failing: float = 0.3) -> bool:
        """Claim a few tasks and end them. Whether there were any, or will be."""
        limit = self.random.choice([1, 3, 100])
        claimed, *others = [list(claim(storage, limit, now=self.now)) for storage in self.storages]
        assert all(each == claimed for each in others)
        for each in claimed:
            assert not self.tasks[each.task.id].is_blocked
        self.check_results([each.task for each in claimed if each.task.has_references])
        fails = [self.random.random() < failing for _ in claimed]

        def end(storage: Storage) -> None:
            ends = [
                Settlement.failed(each.task, self.now, BOOM, PLAIN, 0)
                if fail
                else Settlement.succeeded(each.task, self.now, "1")
                for each, fail in zip(claimed, fails, strict=True)
            ]
            assert not settle(storage, *ends)

        if claimed:
            self.on_all(end)
        else:
            self.seconds += 5
        return bool(claimed) or any(not each.is_blocked for each in self.of(Status.WAITING))

    def check_results(self, referring: Sequence[Task]) -> None:
        """Check that the results are there to which these tasks refer, but for those of tasks that were deleted."""
        parents = dict.fromkeys(parent for task in referring for parent in self.parents_of(task.id))
        for storage in self.storages:
            found = storage.autocommit.results(parents, MAX_RESULT_BYTES)
            assert found.keys() == parents.keys() & self.tasks.keys()
            assert {each.text for each in found.values()} <= {"1"}

    def change(self, verb: Verb) -> None:
        """Cancel, retry or delete a few tasks."""
        allowed = [each.id for each in self.tasks.values() if each.status in RULES[verb]]
        if not allowed:
            return
        chosen = frozenset(self.random.sample(allowed, min(len(allowed), self.random.choice([1, 1, 3]))))
        request = ChangeTasksRequest(filter=Filter(ids=chosen))

        def change(storage: Storage) -> None:
            begin, clock, notifier, no_unblock = storage.begin, ManualClock(self.now), MemoryWakeUp(), _NoUnblock()
            match verb:
                case Verb.CANCEL:
                    changed = CancelTasks(begin, clock, notifier, no_unblock)(request)  # type: ignore[arg-type]
                case Verb.RETRY:
                    types = _NoTypes()
                    changed = RetryTasks(begin, clock, types, notifier, no_unblock)(request)  # type: ignore[arg-type]
                case _:
                    changed = DeleteTasks(begin, clock, notifier, no_unblock)(request)  # type: ignore[arg-type]
            assert changed.count == len(chosen)

        self.on_all(change)

    def expire(self) -> None:
        """Let time pass, and delete what has expired. A task that has ended is kept while one after it has not."""
        self.seconds += self.random.choice([1, 10, 30, 100])
        needed = {
            parent
            for id, each in self.dependencies.items()
            for parent in each.parents
            if id in self.tasks and not self.tasks[id].status.is_final
        }
        kept = {id for id in needed if id in self.tasks and self.tasks[id].status.is_final}
        is_of_batches = self.random.random() < 0.5

        def delete(storage: Storage) -> None:
            with storage.begin() as work:
                work.cleaning.delete_expired(self.now, 1000)
                work.commit()
            if is_of_batches:
                CleanBatches(storage.begin, ManualClock(self.now))()

        self.on_all(delete)
        assert kept <= self.tasks.keys()
        for id in self.batches.keys() - self.records.keys():
            gone = self.batches.pop(id)
            assert gone.finishes
            assert not gone.members & self.tasks.keys()
            assert not (gone.then in self.tasks and self.is_held_back(gone.then))

    def unblock(self) -> None:
        """Decide on what is undecided, in batches of any size."""
        self.on_all(partial(self._unblock, self.random.choice([1, 2, 3, 1000])))
        self.check_all_decided()

    def _unblock(self, limit: int, storage: Storage) -> None:
        unblock_tasks = UnblockTasks(storage.begin, storage.pending, ManualClock(self.now), MemoryWakeUp())
        while unblock_tasks(limit).has_more:
            pass

    def finish(self) -> None:
        """Finish some batches, as the process does that has settled a task of theirs."""
        chosen = self.random.sample([*self.batches], min(len(self.batches), self.random.choice([1, 3])))
        self.on_all(lambda storage: self.finisher(storage)(chosen))

    def finisher(self, storage: Storage) -> FinishBatches:
        """The use case at this moment."""
        return FinishBatches(storage.begin, storage.pending, ManualClock(self.now), MemoryWakeUp())

    def close(self) -> None:
        """Close an open batch."""
        if among := self.open_batches():
            id = self.random.choice(among)
            self.batches[id].is_open = False
            self.on_all(lambda storage: CloseBatch(storage.begin, self.finisher(storage))(id))

    def deliver(self) -> None:
        """Deliver what is due."""
        taken: list[list[Finish]] = []

        def deliver(storage: Storage) -> None:
            with storage.begin() as work:
                claimed = work.deliveries.claim(self.now, at(self.seconds + 60), 1000)
                assert all(work.deliveries.settle(each.delivered()) for each in claimed)
                work.commit()
            taken.append(sorted((BatchId(each.id), each.finished) for each in claimed))

        self.on_all(deliver)
        assert all(each == taken[0] for each in taken)
        self.claimed_deliveries += taken[0]

    def work_as_janitor(self) -> None:
        """Do all chores until nothing is left to do: from then on nothing waits that could go on."""
        for id in self.open_batches():
            if self.records[id].batch.has_expired(self.now):
                self.batches[id].is_open = False
        limit = self.random.choice([1, 2, 1000])

        def work(storage: Storage) -> None:
            finish = self.finisher(storage)
            for _ in range(2):
                self._unblock(limit, storage)
                while finish.due():
                    pass
            assert not storage.pending.has_changed_parents()
            assert not storage.pending.has_batch_work(self.now)

        self.on_all(work)
        self.deliver()
        self.check_all_decided()
        for id, batch in self.batches.items():
            assert bool(self.records[id].batch.finished) == self.is_ready(batch), (id, batch, self.records[id])
            if batch.then in self.tasks:
                assert not (self.is_held_back(batch.then) and self.is_ready(batch)), (id, batch)

    def is_ready(self, batch: KnownBatch) -> bool:
        """The rule of a finish: the batch is closed, and each of its tasks is final or gone."""
        return not batch.is_open and not any(
            self.tasks[id].status in UNFINISHED for id in batch.members & self.tasks.keys()
        )

    def is_held_back(self, id: TaskId | None) -> bool:
        """Whether a task waits for others."""
        return id is not None and self.tasks[id].status is Status.WAITING and self.tasks[id].is_blocked

    def verdict(self, id: TaskId) -> str:
        """The rule, in other words than the domain's: whether the task may run, fails or waits."""
        dependencies = self.dependencies[id]
        ends = [self.tasks[each].status if each in self.tasks else None for each in dependencies.parents]
        if dependencies.if_failed is IfFailed.FAIL and {*ends} & {None, Status.FAILED, Status.CANCELLED}:
            return "fail"
        return "wait" if {*ends} & UNFINISHED else "run"

    def check_all_decided(self) -> None:
        """Check that what waits for others has to, and that what has failed by them still has a reason."""
        for task in self.tasks.values():
            if task.is_blocked and task.id in self.dependencies and task.status in (Status.WAITING, Status.FAILED):
                assert self.verdict(task.id) == {Status.WAITING: "wait", Status.FAILED: "fail"}[task.status], task

    def check_unblocked(self, before: Mapping[TaskId, Task]) -> None:
        """Check that each task that was let run may run now, and that none of those is held back again."""
        followed = {each.then: each for each in self.batches.values() if each.then}
        for id, task in self.tasks.items():
            was_blocked = id not in before or before[id].is_blocked
            if not was_blocked:
                assert not task.is_blocked, task
            elif not task.is_blocked and id in self.dependencies:
                assert self.verdict(id) == "run", task
            elif not task.is_blocked and id in followed:
                assert self.is_ready(followed[id]), (task, followed[id])

    def check_batches(self) -> None:
        """Check the counts of each batch by its tasks, and that each is finished only while it may be."""
        for id, record in self.records.items():
            batch = self.batches[id]
            there = [self.tasks[task].status for task in batch.members if task in self.tasks]
            counts = {BatchCount(status): there.count(status) for status in {*there}}
            if gone := len(batch.members) - len(there):
                counts[BatchCount.DELETED] = gone
            assert record.counts == BatchCounts(counts), (id, counts)
            assert (record.batch.then, record.batch.is_open) == (batch.then, batch.is_open)
            if finished := record.batch.finished:
                assert self.is_ready(batch), (id, batch)
                if finished not in batch.finishes:
                    batch.finishes.append(finished)
            expected = finished if record.batch.callback else None
            assert (record.delivery and record.delivery.finished) == expected, (id, record.delivery)

    def check_end(self) -> None:
        """Check that all have ended, and that each finish was delivered once, unless a retry came before that."""
        for storage in self.storages:
            self.check_parents(storage)
        assert not [task for task in self.tasks.values() if task.status in UNFINISHED]
        assert len(self.claimed_deliveries) == len({*self.claimed_deliveries})
        for id, record in self.records.items():
            assert record.batch.finished
            if record.batch.callback:
                assert (id, record.batch.finished) in self.claimed_deliveries

    def check_parents(self, storage: Storage) -> None:
        """Check that each task has the parents that it was given."""
        for id, record in storage.autocommit.get_many([*self.tasks]).items():
            assert {*record.parents} == self.parents_of(id)

    def of(self, status: Status) -> list[Task]:
        """The tasks with this status."""
        return [task for task in self.tasks.values() if task.status is status]

    def on_all(self, step: Callable[[Storage], object]) -> None:
        """Take a step on all storages, a moment after the one before."""
        self.seconds += 0.001
        for storage in self.storages:
            step(storage)
        ours, *others = map(everything, self.storages)
        for theirs in others:
            assert ours.tasks == theirs.tasks
            assert ours.batches == theirs.batches
        before, self.tasks, self.records = self.tasks, ours.tasks, ours.batches
        self.check_unblocked(before)
        self.check_batches()


def everything(storage: Storage) -> Everything:
    """All tasks and all batches by id."""
    with storage.begin() as work:
        tasks = work.listing.search(Filter(), None, 1000).tasks
        batches = work.batches.search(None, 1000)
    return Everything(
        {task.id: _nameless(task) for task in reversed(tasks)}, {each.batch.id: each for each in reversed(batches)}
    )


def _nameless(task: Task) -> Task:
    """The task without the name of the parent that has failed it: it may be any of several."""
    by_parent = task.error and task.error.type == PARENT_FAILED
    return replace(task, error=replace(task.error, message="")) if task.error and by_parent else task
