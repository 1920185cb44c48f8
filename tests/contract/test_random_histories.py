"""Random histories, step by step on both storages: memory and PostgreSQL return and store the same."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from adapters.clocks import ManualClock
from adapters.cron import CronCalendar
from adapters.memory import MemoryStore, MemoryWakeUp
from adapters.postgres import Database
from application.ports.limits import LimitedClaimRequest
from application.ports.listing import ANY_STATUS, Filter
from application.ports.published_types import PublishedType
from application.ports.queue import ClaimRequest, Cursor, ProgressReport
from application.ports.task_repository import TaskRecord
from application.ports.unit_of_work import UnitOfWork
from application.use_cases.forget_types import ForgetTypes
from application.use_cases.publish_types import PublishTypes
from application.use_cases.tick import Tick, TickResult
from domain.delivery import Delivery
from domain.errors import InvalidTransition
from domain.failure import Error, Failure
from domain.ids import HandlerId, Hold, IdempotencyKey, Lane, TaskId, TypeName
from domain.lease import Lease
from domain.limits import NO_LIMITS, Limits, Override
from domain.options import Options
from domain.progress import Progress
from domain.retry import RetryPolicy
from domain.schedule import Schedule
from domain.settlement import Attempt, LateLog, RunningLog, Settlement
from domain.status import RULES, Status, Verb
from domain.submission import Submission
from domain.task import Task
from domain.task_type import TaskType
from tests.emptying import empty
from tests.steps import add_once, at, rescue, settle, take_back
from tests.storage import Storage, in_memory, in_postgres

MOST_TASKS = 9
HISTORIES = int(os.environ.get("HISTORIES", "20"))
"""Others at each run of the suite; with more of them it is a search of its own."""
UNKNOWN = TaskId(2**62)
ALL_TIME = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC), timedelta(days=36525))
CALENDAR = CronCalendar()
POLICY = RetryPolicy(first=2, factor=3, cap=20, spread=0.5)

types = st.sampled_from([TypeName(name) for name in "aab"])
NAMES = [HandlerId("one"), HandlerId("two")]
handlers = st.sampled_from(NAMES)
limits = st.sampled_from([1, 2, 3, 100])
priorities = st.sampled_from([0, 0, 0, -1, 5])
passing = st.sampled_from([0.001, 1, 4, 10, 31, 60, 86_400])
leases = st.sampled_from([1, 10, 30])
processes = st.sampled_from([None, "boot 1", "boot 2"])
lives = st.sampled_from([0, 1, 10])
progresses = st.none() | st.builds(Progress, st.sampled_from([0.1, 1 / 3, 1]), st.sampled_from(["", "nul \0"]))
callbacks = st.sampled_from([None, "http://a"])
submissions: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    type=types,
    args=st.sampled_from(["{}", '{"é":1}', '{"long":"' + "x" * 50 + '"}']),
    terms=st.sampled_from([(), (1,), (-(2**63), 1), (1, 2**63 - 1), (2, 2)]),
    ttl=st.sampled_from([5, 60, 600]),
    key=st.sampled_from([None, None, None, "k 1", "k 2"]).map(lambda key: key and IdempotencyKey(key)),
    run_in=st.sampled_from([None, None, None, -7, 0.25, 5]),
    lane=st.sampled_from([None, Lane(""), Lane("a"), Lane("a"), Lane("é")]),
    options=st.builds(
        Options,
        priority=priorities,
        max_attempts=st.integers(1, 3),
        max_losses=st.integers(0, 2),
        timeout=st.sampled_from([None, 0.1]),
        callback=callbacks,
    ),
)
EVERYTHING = {TypeName("a"): 9, TypeName("b"): 9}
wanted = st.sampled_from([EVERYTHING, {"b": 9, "a": 9}, {"a": 1, "b": 2}, {"b": 0, "a": 3}, {"a": 2, "gone": 1}])
published = st.builds(
    TaskType,
    name=types,
    description=st.sampled_from(["", "Adds."]),
    schema=st.sampled_from(["{}", '{"type":"object"}']),
    result_schema=st.sampled_from([None, "{}", '{"type":"null"}']),
    options=st.builds(Options, max_attempts=st.integers(1, 3), callback=callbacks),
    retries_timeout=st.booleans(),
    schedule=st.sampled_from([None, Schedule(every="* * * * *"), Schedule(every="*/2 * * * *")]),
    limits=st.sampled_from(
        [
            *(NO_LIMITS, NO_LIMITS, Limits(at_once=1), Limits(at_once=2, per_second=1e-5, burst=3)),
            *(Limits(lane="user"), Limits(lane="user", at_once=3, at_once_per_lane=1)),
        ]
    ),
)
# The storages have clocks of their own, so no rate lets another task start while a history goes on.
overrides: st.SearchStrategy[dict[str, Any] | None] = st.sampled_from(
    [
        None,
        None,
        {"at_once": 2},
        {"at_once": None},
        {"paused": True},
        {"accepting": False},
        {"per_second": 1e-5, "burst": 2},
    ]
)


filters = st.builds(
    Filter,
    statuses=st.just(ANY_STATUS) | st.frozensets(st.sampled_from(Status)),
    type=st.none() | types,
    created_after=st.none() | passing.map(at),
    created_before=st.none() | passing.map(at),
    terms=st.frozensets(st.sampled_from([1, 2, -(2**63), 99]), max_size=2),
    finished_after=st.none() | passing.map(at),
    finished_before=st.none() | passing.map(at),
    error_type=st.none() | st.sampled_from(["ValueError", "another"]),
    error=st.none() | st.sampled_from(["boom", "R: B", "nothing"]),
    ids=st.none() | st.frozensets(st.integers(1, 20).map(TaskId)),
    as_of=st.none() | passing.map(at),
)


@dataclass(frozen=True)
class Outcome:
    """How a start ends: with a result, a failure, or neither, which gives the task back, at once or after a delay."""

    result: str | None = None
    failure: Failure | None = None
    delay: float = 0
    jitter: float = 0
    log: str = ""

    def of(self, start: Task, now: datetime) -> Settlement:
        if self.result is not None:
            return Settlement.succeeded(start, now, self.result, self.log)
        if self.failure:
            return Settlement.failed(start, now, self.failure, POLICY, self.jitter, self.log)
        return Settlement.rerouted(start, now, self.delay) if self.delay else Settlement.released(start, now)


failures = st.builds(
    Failure,
    type=st.sampled_from(["ValueError", "Nul\0"]),
    message=st.sampled_from(["boom", ""]),
    retriable=st.booleans(),
    delay=st.sampled_from([None, None, 0, 3, 1e300]),
    traceback=st.sampled_from([None, "line\n"]),
)
logs = st.sampled_from(["", "nul \0 é\n"])
outcomes = st.one_of(
    st.builds(Outcome, result=st.sampled_from(["1", '"é\\u0000"']), log=logs),
    st.builds(Outcome, failure=failures, jitter=st.sampled_from([0, 0.5, 1]), log=logs),
    st.builds(Outcome, delay=st.sampled_from([0, 0.75, 8])),
)
ENDS_OF_DELIVERIES: list[Callable[[Delivery, datetime], Delivery]] = [
    lambda claimed, now: claimed.delivered(),
    lambda claimed, now: claimed.failed(now, "nul \0", 0.5),
    lambda claimed, now: claimed.given_up("gone"),
]


class Agreement(RuleBasedStateMachine):
    """Two storages with one history, and the `starts` that handlers remember of it, most of them stale before long."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        empty(database)
        self.memory = in_memory(MemoryStore())
        self.postgres = in_postgres(database)
        self.seconds = 0.0
        self.starts: dict[Hold, Task] = {}
        self.settled: list[Sequence[Settlement]] = []
        self.before: dict[TaskId, Task] = {}
        self.retried: TaskId | None = None
        self.deliveries: list[Delivery] = []

    @property
    def now(self) -> datetime:
        return at(self.seconds)

    def both(self, step: Callable[..., Any], *args: Any) -> Any:
        """Return what a step returns: the same on both."""
        expected, answer = step(self.memory, *args), step(self.postgres, *args)
        assert answer == expected
        return expected

    def both_commit(self, step: Callable[[UnitOfWork], Any]) -> Any:
        return self.both(committed, step)

    def some_holds(self, data: st.DataObject) -> list[Hold]:
        """A few, preferably new ones and those of tasks that were claimed more than once."""
        holds = list(self.starts)
        contested = [hold for hold in holds if hold.task in self.before and self.before[hold.task].claims > 1]
        one = st.sampled_from(holds[-4:]) | st.sampled_from(contested or holds) | st.sampled_from(holds)
        return data.draw(st.lists(one, max_size=4, unique=True), label="holds")

    @initialize(asked=st.lists(submissions, min_size=3, max_size=8))
    def start(self, asked: list[dict[str, Any]]) -> None:
        self.submit(asked)

    @precondition(lambda self: len(self.before) < MOST_TASKS)
    @rule(asked=st.lists(submissions, max_size=4))
    def submit(self, asked: list[dict[str, Any]]) -> None:
        self.both(add_once, *(self.submission(**each) for each in asked))

    @invariant()
    def keys_have_the_same_tasks(self) -> None:
        self.both_commit(
            lambda work: work.tasks.key_owners({IdempotencyKey("k 1"), IdempotencyKey("k 2"), IdempotencyKey("k 3")})
        )

    def submission(self, *, run_in: float | None, **asked: Any) -> Submission:
        return Submission(now=self.now, run_at=None if run_in is None else at(self.seconds + run_in), **asked)

    @rule(
        handler=handlers,
        lease=leases,
        wanted=wanted,
        limit=limits,
        max_bytes=st.sampled_from([10**9, 10**9, 1, 4, 63]),
        starting=limits | st.just(0),
        cursors=st.dictionaries(
            st.tuples(types, priorities), st.tuples(passing, st.sampled_from([0, 10**9])), max_size=3
        ),
        slow=st.frozensets(types),
        max_slow=st.sampled_from([0, 1, 2, 9]),
    )
    def claim(
        self,
        handler: HandlerId,
        lease: float,
        wanted: dict[TypeName, int],
        limit: int,
        max_bytes: int,
        starting: int,
        cursors: dict[tuple[TypeName, int], tuple[float, int]],
        slow: frozenset[TypeName] = frozenset(),
        max_slow: int = 0,
    ) -> None:
        granted = Lease.granted(handler, self.now, lease)
        behind = {pair: Cursor(at(self.seconds - ago), TaskId(id)) for pair, (ago, id) in cursors.items()}
        request = ClaimRequest(wanted, limit, max_bytes, starting, slow, max_slow, behind)
        claimed = self.both(lambda storage: list(storage.autocommit.claim(granted, self.now, request)))
        self.starts |= {each.task.hold: each.task for each in claimed}

    @rule(type=types, override=overrides)
    def limit(self, type: TypeName, override: dict[str, Any] | None) -> None:
        self.both_commit(
            lambda work: work.limits.remove(type) if override is None else work.limits.set(type, Override(override))
        )

    @rule(limit=limits)
    def assign_lanes(self, limit: int) -> None:
        waiting = sum(task.lane is None for task in self.before.values())
        # Which of more tasks it takes is not specified.
        self.both_commit(lambda work: work.limits.assign_lanes(limit if limit >= waiting else 100))

    @rule(
        data=st.data(),
        handler=handlers,
        lease=leases,
        wanted=st.permutations(sorted(EVERYTHING)),
        limit=limits,
        max_bytes=st.sampled_from([10**9, 10**9, 1]),
    )
    def claim_limited(
        self, data: st.DataObject, handler: HandlerId, lease: float, wanted: list[TypeName], limit: int, max_bytes: int
    ) -> None:
        holds = self.some_holds(data) if self.starts else []
        ends = [data.draw(outcomes, label="outcome").of(self.starts[hold], self.now) for hold in holds]
        self.settled += [ends] if ends else []
        granted, request = Lease.granted(handler, self.now, lease), LimitedClaimRequest(wanted, limit, max_bytes)

        def claim(storage: Storage) -> Any:
            claim = storage.autocommit.claim_limited(granted, self.now, request, ends)
            bounds = {type: bounded.by for type, bounded in claim.bounds.items()}
            return list(claim.claimed), bounds, sorted(claim.refused)

        claimed, _, _ = self.both(claim)
        self.starts |= {each.task.hold: each.task for each in claimed}

    @precondition(lambda self: self.starts)
    @rule(data=st.data(), handler=handlers, lease=leases)
    def renew(self, data: st.DataObject, handler: HandlerId, lease: float) -> None:
        holds = self.some_holds(data)
        granted = Lease.granted(handler, self.now, lease)
        assert self.both(lost_of, holds) == self.both_commit(lambda work: sorted(work.queue.renew(holds, granted).lost))

    @precondition(lambda self: self.starts)
    @rule(data=st.data(), progress=progresses)
    def report(self, data: st.DataObject, progress: Progress | None) -> None:
        holds = self.some_holds(data)
        self.both_commit(lambda work: work.queue.report([ProgressReport(hold, self.now, progress) for hold in holds]))
        self.starts |= {hold: self.starts[hold].reported(self.now, progress) for hold in holds}

    @precondition(lambda self: self.starts)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        ends = [(self.starts[hold], data.draw(outcomes, label="outcome")) for hold in self.some_holds(data)]
        self.settled.append([outcome.of(start, self.now) for start, outcome in ends])
        self.both(refused, self.settled[-1])

    @precondition(lambda self: self.settled)
    @rule(data=st.data(), differently=st.booleans())
    def settle_again(self, data: st.DataObject, differently: bool) -> None:
        before = self.settled[data.draw(st.integers(0, len(self.settled) - 1), label="settled")]
        self.both(refused, [another(each) for each in before] if differently else before)

    @precondition(lambda self: self.starts)
    @rule(data=st.data(), log=logs)
    def say_meanwhile(self, data: st.DataObject, log: str) -> None:
        running_logs = [RunningLog.of(self.starts[hold], self.now, log) for hold in self.some_holds(data)]
        self.both(lambda storage: list(storage.autocommit.report_logs(running_logs)))

    @precondition(lambda self: self.starts)
    @rule(data=st.data(), log=logs)
    def say_afterwards(self, data: st.DataObject, log: str) -> None:
        late_logs = [LateLog.of(self.starts[hold], self.now, log) for hold in self.some_holds(data)]
        self.both_commit(lambda work: work.queue.record_late_logs(late_logs))

    @rule(seconds=st.just(0) | leases | passing, limit=limits)
    def lose(self, seconds: float, limit: int) -> None:
        self.seconds += seconds
        self.both(rescue, self.now, limit)

    @rule(handler=handlers, limit=limits)
    def take_from(self, handler: HandlerId, limit: int) -> None:
        """The end of a handler was seen."""
        self.both(held_by, handler)
        self.both(take_back, handler, self.now, limit)

    @rule(limit=limits)
    def take_over(self, limit: int) -> None:
        """Another handler claims what one has lost, which does not know yet."""
        self.lose(31, 100)
        self.claim(HandlerId("two"), 30, EVERYTHING, limit, 10**9, limit, cursors={})

    @precondition(lambda self: self.before)
    @rule(data=st.data(), verb=st.sampled_from([Verb.CANCEL, Verb.RETRY, Verb.RETRY, Verb.DELETE]))
    def change(self, data: st.DataObject, verb: Verb) -> None:
        id = data.draw(st.sampled_from([*self.before, UNKNOWN]), label="id")
        self.retried = id if verb is Verb.RETRY else None
        self.both(changed, id, verb, self.now)

    @rule(limit=limits)
    def clean(self, limit: int) -> None:
        expires = sorted(task.expire for task in self.before.values() if task.may_expire(self.now))
        # The order of tasks that expire together is not specified.
        tied = limit < len(expires) and expires[limit - 1] == expires[limit]
        self.both_commit(lambda work: work.cleaning.delete_expired(self.now, 100 if tied else limit))

    @rule(seconds=leases, limit=limits)
    def claim_deliveries(self, seconds: float, limit: int) -> None:
        until = at(self.seconds + seconds)
        self.deliveries += self.both_commit(lambda work: work.deliveries.claim(self.now, until, limit))

    @precondition(lambda self: self.deliveries)
    @rule(data=st.data(), end=st.sampled_from(ENDS_OF_DELIVERIES))
    def settle_delivery(self, data: st.DataObject, end: Callable[[Delivery, datetime], Delivery]) -> None:
        claimed = data.draw(st.sampled_from(self.deliveries[-4:]) | st.sampled_from(self.deliveries), label="claimed")
        self.both_commit(lambda work: work.deliveries.settle(end(claimed, self.now)))

    @rule(
        handler=handlers,
        types=st.lists(published, max_size=3, unique_by=lambda type: type.name),
        seconds=lives,
        process=processes,
    )
    def publish(self, handler: HandlerId, types: list[TaskType], seconds: float, process: str | None) -> None:
        until = at(self.seconds + seconds)
        self.both(
            lambda storage: PublishTypes(storage.begin, ManualClock(self.now), CALENDAR)(handler, types, until, process)
        )

    @precondition(lambda self: len(self.before) < MOST_TASKS)
    @rule()
    def tick(self) -> None:
        def tick(storage: Storage) -> TickResult:
            return Tick(storage.begin, storage.pending, ManualClock(self.now), MemoryWakeUp(), CALENDAR, 60)()

        self.both(tick)

    @rule(handler=handlers, seconds=lives, leaves=st.booleans(), drains=st.booleans())
    def keep(self, handler: HandlerId, seconds: float, leaves: bool, drains: bool) -> None:
        self.both_commit(lambda work: work.types.renew(handler, at(self.seconds + seconds), drains))
        self.both_commit(lambda work: work.types.withdraw(handler) if leaves else work.types.forget_dead(self.now))

    @rule(seconds=st.sampled_from([0, 1, 10, 60]), limit=limits)
    def forget_types(self, seconds: int, limit: int) -> None:
        self.both(lambda storage: list(ForgetTypes(storage.begin, ManualClock(self.now), seconds)(limit)))

    @rule(filter=filters, before=st.none() | st.integers(0, 20).map(TaskId), limit=limits)
    def list_some(self, filter: Filter, before: TaskId | None, limit: int) -> None:
        self.both_commit(lambda work: list(work.listing.search(filter, before, limit).tasks))

    @rule(
        filter=filters,
        before=st.none() | st.integers(0, 20).map(TaskId),
        limit=limits,
        commits=st.sampled_from([True, True, True, False]),
    )
    def cancel_some(self, filter: Filter, before: TaskId | None, limit: int, commits: bool) -> None:
        self.both(cancelled, filter, before, limit, self.now, commits)

    @rule(limit=limits)
    def fold(self, limit: int) -> None:
        for storage in (self.memory, self.postgres):
            committed(storage, lambda work: work.cleaning.fold_counts(limit))
            committed(storage, lambda work: work.statistics.fold(ALL_TIME[0], limit))

    @rule(seconds=passing)
    def time_passes(self, seconds: float) -> None:
        self.seconds += seconds

    @invariant()
    def both_hold_the_same(self) -> None:
        self.both(lost_of, list(self.starts))
        self.both_commit(lambda work: list(map(without_times, work.types.all(self.now))))
        self.both(lambda storage: storage.autocommit.limited_types())
        self.both(lambda storage: (storage.pending.has_expired(self.now), storage.pending.processes()))
        self.both(lambda storage: storage.pending.next_schedule_work(self.now))
        self.both_commit(lambda work: (list(work.schedules.lock()), work.schedules.next_after(self.now)))
        self.both_commit(lambda work: work.listing.counts())
        self.both_commit(lambda work: work.statistics.counts(*ALL_TIME))
        self.both_commit(lambda work: (work.monitoring.oldest_due(self.now), work.monitoring.held_tasks(2)))
        self.both_commit(lambda work: work.monitoring.handlers(self.now, 1))
        self.both_commit(
            lambda work: [work.types.schemas_elsewhere(type, me, self.now) for type in EVERYTHING for me in NAMES]
        )
        tasks = {record.task.id: record.task for record, _ in self.both(everything)}
        for task in tasks.values():
            self.check_history(self.before.get(task.id), task)
        self.before, self.retried = tasks, None

    def check_history(self, before: Task | None, now: Task) -> None:
        assert now.attempt <= now.max_attempts
        assert now.losses <= now.max_losses + 1
        assert now.expire >= now.created
        if before:
            assert now.claims >= before.claims
            assert not before.status.is_final or now == before or now.id == self.retried


def committed(storage: Storage, step: Callable[[UnitOfWork], Any]) -> Any:
    with storage.begin() as work:
        answer = step(work)
        work.commit()
    return answer


def everything(storage: Storage) -> list[tuple[TaskRecord, list[Attempt]]]:
    """Return all tasks with their starts, after checking that each task looks the same from every side."""
    with storage.begin() as work:
        tasks = list(work.listing.search(Filter(), None, 1000).tasks)
        read = {task.id: work.tasks.get(task.id) for task in tasks}
        attempts = {task.id: list(work.tasks.attempts(task.id)) for task in tasks}
    records = storage.autocommit.get_many([*read, UNKNOWN])
    assert records == read
    assert [records[task.id].task for task in tasks] == tasks
    assert {id: each.version for id, each in records.items()} == storage.autocommit.versions([*read, UNKNOWN])
    return [(records[id], attempts[id]) for id in read]


def without_times(type: PublishedType) -> tuple[PublishedType, bool, bool]:
    """The type without the times of the storage's own clock, and whether it had them."""
    limits = replace(type.limits, next_start=None)
    return replace(type, changed=None, limits=limits), type.changed is None, type.limits.next_start is None


def lost_of(storage: Storage, holds: Sequence[Hold]) -> list[Hold]:
    with storage.begin() as work:
        return sorted(work.queue.lost(holds))


def held_by(storage: Storage, handler: HandlerId) -> list[Hold]:
    with storage.begin() as work:
        return sorted(work.queue.held_by(handler))


def refused(storage: Storage, settlements: Sequence[Settlement]) -> list[TaskId]:
    return sorted(settle(storage, *settlements))


def another(settlement: Settlement) -> Settlement:
    """Another outcome of the same start at the same moment."""
    if settlement.result is not None:
        return replace(settlement, result='"another"')
    return replace(settlement, task=replace(settlement.task, error=Error("Another", "bang", 1)))


def cancelled(
    storage: Storage, filter: Filter, before: TaskId | None, limit: int, now: datetime, commits: bool
) -> list[Task]:
    """Cancel the tasks of a page that may be cancelled, and return them; without a commit nothing has happened."""
    with storage.begin() as work:
        tasks = work.tasks.lock(*(task.id for task in work.listing.search(filter, before, limit).tasks))
        changed = [task.cancel(now) for task in tasks if task.status in RULES[Verb.CANCEL]]
        work.tasks.save(*changed)
        if commits:
            work.commit()
    return changed


def changed(storage: Storage, id: TaskId, verb: Verb, now: datetime) -> str | Task | None:
    """The task as it stands after that, None where there is none, or why it may not be."""
    with storage.begin() as work:
        found = work.tasks.lock(id)
        if not found:
            return None
        (task,) = found
        try:
            if verb is Verb.DELETE:
                task.check_deletable()
                work.tasks.remove(id)
            else:
                task = task.cancel(now) if verb is Verb.CANCEL else task.retry(now, attempts=2)
                work.tasks.save(task)
        except InvalidTransition as refusal:
            return str(refusal)
        work.commit()
    return task


def test_memory_and_postgres_agree_on_every_history(database: Database):
    run_state_machine_as_test(
        lambda: Agreement(database),  # type: ignore[arg-type]  # a factory may be any function
        settings=settings(max_examples=HISTORIES, stateful_step_count=40),
    )
