"""Counts and search terms on a real database: triggers write them for every change, without waiting."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from adapters.clocks import ManualClock
from adapters.memory import MemoryWakeUp
from adapters.postgres import Database
from application.errors import StorageConflict
from application.ports.listing import Counts, Filter
from application.ports.queue import ProgressReport
from application.ports.unit_of_work import UnitOfWork
from application.use_cases.cancel_tasks import CancelTasks
from application.use_cases.change_tasks import ChangeTasksRequest, ChangeTasksResult
from application.use_cases.unblock_tasks import UnblockTasks
from domain.ids import TaskId, TypeName
from domain.settlement import Settlement
from domain.status import Status
from domain.task import Task
from tests.concurrency import asked, until_waiting, with_settings
from tests.integration.test_postgres_many import together
from tests.steps import NOW, add, at, claim, fail, rescue, save, submission, succeed, task
from tests.storage import Storage, in_postgres

ADD = TypeName("add")
ENTRIES = "SELECT count(*) FROM task_count_changes"
TRUTH = "SELECT type, status, count(*) FROM tasks GROUP BY type, status ORDER BY type, status"
SUMS = "SELECT type, status, sum(change) FROM task_count_changes GROUP BY 1, 2 HAVING sum(change) <> 0 ORDER BY 1, 2"
TERMS = "SELECT term, task FROM task_terms ORDER BY term, task"


@pytest.fixture
def impatient(database: Database, postgres_url: str) -> Iterator[Storage]:
    """A store that waits for no lock at all: for one test at a time, as a table that grows is locked for a moment."""
    found = Database(with_settings(postgres_url, lock_timeout="1ms"))
    yield in_postgres(found)
    found.close()


def counts(storage: Storage) -> Counts:
    with storage.begin() as work:
        return work.listing.counts()


def fold(storage: Storage, limit: int = 10_000) -> int:
    with storage.begin() as work:
        folded = work.cleaning.fold_counts(limit)
        work.commit()
    return folded


def cancel(storage: Storage) -> ChangeTasksResult:
    unblock = UnblockTasks(storage.begin, storage.pending, ManualClock(), MemoryWakeUp())
    cancel_tasks = CancelTasks(storage.begin, ManualClock(), MemoryWakeUp(), unblock)
    return cancel_tasks(ChangeTasksRequest(filter=Filter()))


WRITES: dict[str, Callable[[UnitOfWork, Task], object]] = {
    "add": lambda work, _: work.tasks.add([submission()]),
    "succeed": lambda work, running: work.queue.settle([Settlement.succeeded(running, NOW, "1")]),
    "release": lambda work, running: work.queue.settle([Settlement.released(running, NOW)]),
    "cancel": lambda work, running: work.tasks.save(running.cancel(NOW)),
    "fold": lambda work, _: work.cleaning.fold_counts(100),
}


class TestCounting:
    def test_while_many_submit_settle_and_fold_every_sum_is_right(
        self, storage: Storage, database: Database, background: ThreadPoolExecutor
    ):
        """Each look finds as many tasks as the same look finds by counting them one by one."""
        is_over = Event()

        def work_through(n: int) -> int:
            rounds = 0
            while not is_over.is_set():
                add(storage, *[submission("ab"[n % 2], max_attempts=2, max_losses=9)] * 5)
                claimed = claim(storage, 4, wanted={"a": 4, "b": 4}, handler=f"handler-{n}")
                ends: list[Callable[[Storage, Task], object]] = [succeed, fail]
                for each in claimed:
                    ends[each.task.id % 2](storage, each.task)
                rounds += 1
            return rounds

        def look(_: int) -> None:
            seen: list[object] = []
            while len(seen) < 20 and not all(worker.done() for worker in workers):
                fold(storage)
                with database.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
                    truth, sums = (connection.exec_driver_sql(question).all() for question in (TRUTH, SUMS))
                assert truth == sums
                if truth not in seen:
                    seen.append(truth)

        workers = [background.submit(work_through, n) for n in range(6)]
        try:
            together(background, look, 2)
        finally:
            is_over.set()
        added = 5 * sum(worker.result() for worker in workers)
        assert sum(number for each in counts(storage).values() for number in each.values()) == added

    @pytest.mark.parametrize("one", WRITES)
    @pytest.mark.parametrize("other", WRITES)
    def test_no_write_waits_for_the_counts_of_another(
        self, impatient: Storage, database: Database, one: str, other: str
    ):
        add(impatient, *[submission()] * 2)
        first, second = (claimed.task for claimed in claim(impatient))
        with impatient.begin() as work:
            WRITES[one](work, first)
            with impatient.begin() as beside:
                WRITES[other](beside, second)
                beside.commit()
            work.commit()
        assert asked(database, TRUTH) == asked(database, SUMS)

    def test_counting_waits_for_no_transaction_and_sees_the_committed_tasks(self, impatient: Storage):
        add(impatient, *[submission()] * 3)
        (running,) = claim(impatient, 1)
        with impatient.begin() as handler:
            handler.queue.settle([Settlement.succeeded(running.task, NOW, "1")])
            assert counts(impatient) == {ADD: {Status.WAITING: 2, Status.RUNNING: 1}}
            handler.commit()
        assert counts(impatient) == {ADD: {Status.WAITING: 2, Status.DONE: 1}}

    @pytest.mark.parametrize(
        "change",
        [
            lambda work, held: work.queue.renew([each.hold for each in held], held[0].lease),
            lambda work, held: work.queue.report([ProgressReport(each.hold, NOW) for each in held]),
            lambda work, held: work.tasks.save(*held),
            lambda work, held: work.queue.settle([]),
        ],
    )
    def test_a_change_of_no_status_leaves_no_entry(
        self, storage: Storage, database: Database, change: Callable[..., object]
    ):
        add(storage, *[submission()] * 3)
        held = [claimed.task for claimed in claim(storage)]
        before = asked(database, ENTRIES)
        with storage.begin() as work:
            change(work, held)
            work.commit()
        assert asked(database, ENTRIES) == before

    def test_a_statement_leaves_an_entry_for_each_kind_that_it_changed(self, storage: Storage, database: Database):
        add(storage, *(submission("ab"[n % 2]) for n in range(100)))
        assert asked(database, ENTRIES) == [(2,)]
        claim(storage, wanted={"a": 50})
        assert asked(database, ENTRIES) == [(4,)]

    @pytest.mark.parametrize("statement", ["DELETE FROM tasks", "TRUNCATE tasks CASCADE"])
    def test_every_way_out_counts(self, storage: Storage, database: Database, statement: str):
        add(storage, *[submission(terms=(1, 2))] * 3)
        with database.engine.begin() as connection:
            connection.exec_driver_sql(statement)
        assert counts(storage) == {}
        assert asked(database, TERMS) == []


class TestFolding:
    @pytest.fixture
    def crowded(self, storage: Storage) -> Storage:
        """Forty entries of one kind."""
        for _ in range(40):
            add(storage, submission())
        return storage

    def test_folding_leaves_one_entry_of_each_kind(self, crowded: Storage, database: Database):
        succeed(crowded, claim(crowded, 1)[0].task)
        assert fold(crowded) == 43
        assert asked(database, "SELECT status, change FROM task_count_changes ORDER BY 1") == [
            ("done", 1),
            ("waiting", 39),
        ]

    def test_where_there_is_nothing_to_fold_nothing_is_written(self, crowded: Storage, database: Database):
        fold(crowded)
        places = asked(database, "SELECT ctid, xmin, xmax FROM task_count_changes")
        assert fold(crowded) == 0
        assert asked(database, "SELECT ctid, xmin, xmax FROM task_count_changes") == places

    def test_two_janitors_fold_beside_each_other_without_waiting(self, crowded: Storage, impatient: Storage):
        with impatient.begin() as first:
            assert first.cleaning.fold_counts(30) == 30
            assert fold(impatient) == 10
            assert counts(impatient) == {ADD: {Status.WAITING: 40}}
            first.commit()
        assert counts(impatient) == {ADD: {Status.WAITING: 40}}
        assert fold(impatient) == 2
        assert counts(impatient) == {ADD: {Status.WAITING: 40}}

    def test_a_janitor_that_is_cut_off_takes_nothing_with_it(self, crowded: Storage):
        with crowded.begin() as janitor:
            janitor.cleaning.fold_counts(100)
        assert counts(crowded) == {ADD: {Status.WAITING: 40}}

    def test_many_fold_at_once_while_tasks_are_added(self, storage: Storage, background: ThreadPoolExecutor):
        def one(n: int) -> None:
            for _ in range(30):
                fold(storage, 3 + n)
                add(storage, submission("ab"[n % 2]))

        together(background, one, 6)
        while fold(storage):
            pass
        assert counts(storage) == {TypeName(name): {Status.WAITING: 90} for name in "ab"}


class TestTerms:
    def test_search_terms_come_and_go_with_their_task_alone(self, storage: Storage, database: Database):
        add(storage, submission(terms=(2, -1), ttl=1), submission(terms=(2,)), submission())
        assert asked(database, TERMS) == [(-1, 1), (2, 1), (2, 2)]
        with storage.begin() as work:
            work.cleaning.delete_expired(at(60), 10)
            work.commit()
        assert asked(database, TERMS) == [(2, 2)]

    def test_a_task_of_older_code_has_none_and_is_there_all_the_same(self, storage: Storage, database: Database):
        with database.engine.begin() as connection:
            connection.exec_driver_sql(OLDER)
        with storage.begin() as work:
            assert [each.id for each in work.listing.search(Filter(type=ADD), None, 10).tasks] == [1]
            assert list(work.listing.search(Filter(terms=frozenset({1})), None, 10).tasks) == []
        assert counts(storage) == {ADD: {Status.WAITING: 1}}

    def test_deleting_looks_each_of_them_up_whatever_the_table_was_like_when_it_was_planned(
        self, storage: Storage, database: Database
    ):
        with database.engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE task_terms")
            before = connection.exec_driver_sql(SCANS).all()
            for number in (3, 3000):
                connection.exec_driver_sql(MANY, (number,))
                connection.exec_driver_sql("DELETE FROM tasks WHERE mod(id, 3) = 0")
            assert connection.exec_driver_sql(SCANS).all() == before
            assert connection.exec_driver_sql("SELECT count(*) FROM task_terms").all() == [(4004,)]


OLDER = """
    INSERT INTO tasks (type, args, created, run_at, expire, ttl, priority, max_attempts, max_losses)
    VALUES ('add', '{"n":1}', now(), now(), now() + interval '1 hour', 3600, 0, 1, 0)
"""
MANY = """
    INSERT INTO tasks (type, args, created, run_at, expire, ttl, priority, max_attempts, max_losses, terms)
    SELECT 'add', '{}', now(), now(), now() + interval '1 hour', 3600, 0, 1, 0, ARRAY[n, -n]
    FROM generate_series(1, %s) AS n
"""
SCANS = "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'task_terms'"


class TestCancellingMany:
    def test_a_task_that_changed_during_the_lock_wait_is_left_alone(
        self, storage: Storage, database: Database, background: ThreadPoolExecutor
    ):
        add(storage, *[submission()] * 3)
        (running,) = claim(storage, 1)
        with storage.begin() as handler:
            handler.queue.settle([Settlement.succeeded(running.task, NOW, "1")])
            cancelled = background.submit(cancel, storage)
            until_waiting(database)
            handler.commit()
        assert cancelled.result() == ChangeTasksResult(2, None)
        assert [task(storage, id).status for id in (1, 2, 3)] == [Status.DONE, Status.CANCELLED, Status.CANCELLED]

    def test_a_task_that_was_deleted_during_the_lock_wait_is_no_error(
        self, storage: Storage, database: Database, background: ThreadPoolExecutor
    ):
        add(storage, *[submission()] * 2)
        with storage.begin() as somebody:
            somebody.tasks.lock(TaskId(1))
            somebody.tasks.remove(TaskId(1))
            cancelled = background.submit(cancel, storage)
            until_waiting(database)
            somebody.commit()
        assert cancelled.result() == ChangeTasksResult(1, None)

    def test_a_row_under_a_long_foreign_lock_is_a_conflict_and_cancels_nothing_of_its_batch(
        self, storage: Storage, impatient: Storage
    ):
        add(storage, *[submission()] * 3)
        with storage.begin() as stranger:
            stranger.tasks.lock(TaskId(2))
            with pytest.raises(StorageConflict):
                cancel(impatient)
        assert {task(storage, id).status for id in (1, 2, 3)} == {Status.WAITING}
        assert cancel(impatient) == ChangeTasksResult(3, None)

    def test_two_who_cancel_at_once_do_not_wait_in_a_circle_and_each_task_is_counted_once(
        self, storage: Storage, background: ThreadPoolExecutor
    ):
        add(storage, *[submission()] * 1200)
        done = together(background, lambda _: cancel(storage), 4)
        assert sum(each.count for each in done) == 1200
        assert counts(storage) == {ADD: {Status.CANCELLED: 1200}}


def test_rescued_and_cancelled_tasks_are_counted_where_they_stand(storage: Storage):
    add(storage, *[submission(max_losses=0)] * 3)
    claim(storage, 2)
    rescue(storage, at(60))
    save(storage, task(storage, 3).cancel(at(1)))
    assert counts(storage) == {ADD: {Status.FAILED: 2, Status.CANCELLED: 1}}
