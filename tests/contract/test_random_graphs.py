"""Random graphs of tasks that wait for each other, on both storages: they agree, and each task runs as the rule says.

`GRAPHS=10000` makes a search of its own of it; `GRAPH_SEED` begins with another graph.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random

from sqlalchemy import text

from adapters.clocks import ManualClock
from adapters.memory import MemoryStore, MemoryWakeUp
from adapters.postgres import Database
from application.ports.listing import Filter
from application.use_cases.revive import revive
from application.use_cases.unblock_tasks import UnblockTasks
from domain.dependencies import Dependencies, IfFailed
from domain.failure import PARENT_FAILED
from domain.ids import TaskId
from domain.settlement import Settlement
from domain.status import RULES, Status, Verb
from domain.task import Task
from tests.steps import BOOM, PLAIN, at, claim, settle, submission
from tests.storage import Storage, in_memory, in_postgres

GRAPHS, FIRST_SEED = int(os.environ.get("GRAPHS", "10")), int(os.environ.get("GRAPH_SEED", "1"))
MAX_TASKS = 50
Tasks = dict[TaskId, Task]


class Graph:
    """A graph on both storages. Each step is taken on both, and must leave both the same."""

    def __init__(self, database: Database, seed: int) -> None:
        with database.engine.begin() as connection:
            connection.execute(text("TRUNCATE tasks RESTART IDENTITY CASCADE"))
        self.random = Random(seed)
        self.storages = in_memory(MemoryStore()), in_postgres(database)
        self.max_tasks = self.random.randint(3, MAX_TASKS)
        self.seconds = 0.0
        self.last_id = 0
        self.dependencies: dict[TaskId, Dependencies] = {}
        self.tasks: Tasks = {}

    def play(self) -> None:
        """Grow the graph and change its tasks, then let all that can run do so."""
        steps: list[tuple[int, Callable[[], object]]] = [
            (5, self.add),
            (5, self.start_and_end),
            (2, lambda: self.change(Verb.CANCEL)),
            (3, lambda: self.change(Verb.RETRY)),
            (1, lambda: self.change(Verb.DELETE)),
            (2, self.expire),
            (4, self.unblock),
        ]
        weights, actions = zip(*steps, strict=True)
        for action in self.random.choices(actions, weights, k=self.max_tasks):
            action()
        self.unblock()
        while self.start_and_end(failing=0):
            self.unblock()

    def add(self) -> None:
        """Add a few tasks, each after some of those that are there or of those before it in the same request."""
        number = self.random.randint(1, min(5, self.max_tasks))
        known = [*self.tasks]
        first_id, self.last_id = self.last_id + 1, self.last_id + number
        new: dict[TaskId, Dependencies | None] = {}
        for id in map(TaskId, range(first_id, first_id + number)):
            among = [*known, *new]
            parents = frozenset(self.random.sample(among, min(len(among), self.random.choice([0, 1, 1, 2, 2, 5]))))
            run_at = self.random.choice([None, at(self.seconds - 5), at(self.seconds + 5)])
            rule = self.random.choice([*IfFailed])
            new[id] = Dependencies(parents=parents, if_failed=rule, run_at=run_at) if parents else None
        ttls = [self.random.choice([20, 600]) for _ in new]

        def add(storage: Storage) -> None:
            with storage.begin() as work:
                submissions = [
                    submission(now=at(self.seconds), ttl=ttl, dependencies=each, run_at=each.run_at if each else None)
                    for each, ttl in zip(new.values(), ttls, strict=True)
                ]
                added = work.tasks.add(submissions)
                assert [task.id for task in added if task] == [*new]
                assert not work.dependencies.add({id: each for id, each in new.items() if each})
                work.commit()

        self.dependencies |= {id: each for id, each in new.items() if each}
        self.on_both(add)

    def start_and_end(self, failing: float = 0.3) -> bool:
        """Claim a few tasks and end them. Whether there were any."""
        limit = self.random.choice([1, 3, 100])
        claimed = [list(claim(storage, limit, now=at(self.seconds))) for storage in self.storages]
        assert claimed[0] == claimed[1]
        for each in claimed[0]:
            assert not self.tasks[each.task.id].is_blocked
        fails = [self.random.random() < failing for _ in claimed[0]]

        def end(storage: Storage) -> None:
            ends = [
                Settlement.failed(each.task, at(self.seconds), BOOM, PLAIN, 0)
                if fail
                else Settlement.succeeded(each.task, at(self.seconds), "1")
                for each, fail in zip(claimed[0], fails, strict=True)
            ]
            assert not settle(storage, *ends)

        if claimed[0]:
            self.on_both(end)
        else:
            self.seconds += 5
        return bool(claimed[0]) or any(each.run_at < at(10**6) for each in self.of(Status.WAITING))

    def change(self, verb: Verb) -> None:
        """Cancel, retry or delete a few tasks."""
        allowed = [each.id for each in self.tasks.values() if each.status in RULES[verb]]
        chosen = self.random.sample(allowed, min(len(allowed), self.random.choice([1, 1, 3])))

        def change(storage: Storage) -> None:
            with storage.begin() as work:
                tasks = work.tasks.lock(*chosen)
                match verb:
                    case Verb.CANCEL:
                        work.tasks.save(*(task.cancel(at(self.seconds)) for task in tasks))
                    case Verb.RETRY:
                        work.tasks.save(*(task.retry(at(self.seconds), 1) for task in tasks))
                        revive(work, chosen, at(self.seconds))
                    case _:
                        work.tasks.remove(*chosen)
                work.commit()

        self.on_both(change)

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

        def delete(storage: Storage) -> None:
            with storage.begin() as work:
                work.cleaning.delete_expired(at(self.seconds), 1000)
                work.commit()

        self.on_both(delete)
        assert kept <= self.tasks.keys()

    def unblock(self) -> None:
        """Decide on what is undecided, in batches of any size."""
        before, limit = dict(self.tasks), self.random.choice([1, 2, 3, 1000])

        def unblock(storage: Storage) -> None:
            unblock_tasks = UnblockTasks(storage.begin, storage.pending, ManualClock(at(self.seconds)), MemoryWakeUp())
            while unblock_tasks(limit).has_more:
                pass

        self.on_both(unblock)
        for id, task in self.tasks.items():
            if before[id].is_blocked and not task.is_blocked:
                assert self.verdict(id) == "run", id
        self.check_all_decided()

    def verdict(self, id: TaskId) -> str:
        """The rule, in other words than the domain's: whether the task may run, fails or waits."""
        dependencies = self.dependencies[id]
        ends = [self.tasks[each].status if each in self.tasks else None for each in dependencies.parents]
        if dependencies.if_failed is IfFailed.FAIL and {*ends} & {None, Status.FAILED, Status.CANCELLED}:
            return "fail"
        return "wait" if {*ends} & {Status.WAITING, Status.RUNNING} else "run"

    def check_all_decided(self) -> None:
        """What waits for others has to, and what has failed by them still has a reason."""
        for task in self.tasks.values():
            if task.is_blocked and task.status in (Status.WAITING, Status.FAILED):
                assert self.verdict(task.id) == {Status.WAITING: "wait", Status.FAILED: "fail"}[task.status], task

    def of(self, status: Status) -> list[Task]:
        return [task for task in self.tasks.values() if task.status is status]

    def on_both(self, step: Callable[[Storage], None]) -> None:
        for storage in self.storages:
            step(storage)
        ours, theirs = map(everything, self.storages)
        assert ours == theirs
        self.tasks = {id: task for id, (task, _) in ours.items()}
        for id, (_, parents) in ours.items():
            assert {*parents} == (self.dependencies[id].parents if id in self.dependencies else frozenset())


def everything(storage: Storage) -> Mapping[TaskId, tuple[Task, tuple[TaskId, ...]]]:
    """All tasks by id, with their parents."""
    with storage.begin() as work:
        ids = [task.id for task in work.listing.search(Filter(), None, 1000).tasks]
    found = storage.autocommit.get_many(ids)
    return {id: (_nameless(found[id].task), found[id].parents) for id in sorted(found)}


def _nameless(task: Task) -> Task:
    """The task without the name of the parent that has failed it: it may be any of several."""
    by_parent = task.error and task.error.type == PARENT_FAILED
    return replace(task, error=replace(task.error, message="")) if task.error and by_parent else task


def test_both_storages_let_the_tasks_of_any_graph_run_as_the_rule_says(database: Database):
    for seed in range(FIRST_SEED, FIRST_SEED + GRAPHS):
        graph = Graph(database, seed)
        try:
            graph.play()
        except AssertionError as error:
            raise AssertionError(f"graph {seed}: {error}") from error
