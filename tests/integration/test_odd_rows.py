"""Rows that an administrator or a newer version wrote: one of them stops nothing, and its neighbours go on."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import pytest
from sqlalchemy import text

from adapters.clocks import ManualClock
from adapters.memory import MemoryWakeUp
from adapters.postgres import Database
from adapters.postgres.claim import MAX_TRIGGER_FAILURES
from application.errors import StatementRefused, TriggerFailed, UnreadableTask
from application.ports.cleaning import DeletedTasks
from application.ports.listing import Filter
from application.ports.queue import ProgressReport, RenewalResult, SettleResult
from application.rescue_guard import MAX_LEASE_SECONDS
from application.use_cases.clean import Clean
from application.use_cases.rescue import Rescue
from application.use_cases.settle_lost import NOT_TAKEN_BACK, settle_lost
from domain.delivery import DeliveryState
from domain.ids import HandlerId, TaskId, TypeName
from domain.lease import Lease
from domain.options import Options
from domain.progress import Progress
from domain.settlement import RunningLog, Settlement
from domain.status import Status
from domain.task import Task
from domain.task_type import ANY_OBJECT, TaskType
from tests.concurrency import with_settings
from tests.recurring import Recurring, recurring
from tests.steps import ADD, HANDLER, NOW, add, at, claim, fail, ids, rescue, save, stored, submission, task
from tests.storage import Storage, in_postgres


@pytest.fixture
def administrator(database: Database) -> Iterator["Administrator"]:
    administrator = Administrator(database)
    yield administrator
    administrator.leave()


class Administrator:
    """An administrator who writes to the tables. Leaving undoes the changes of the tables themselves."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._undo: list[str] = []

    def writes(self, statement: str, undo: str | None = None) -> None:
        self._undo += [undo] if undo else []
        with self._database.engine.begin() as connection:
            connection.execute(text(statement.replace(":", "\\:")))

    def sets(self, change: str, id: int = 2) -> None:
        self.writes(f"UPDATE tasks SET {change} WHERE id = {id}")

    def refuses(self, verb: str, table: str, when: str, by: str = "RAISE 'the trigger refuses'") -> None:
        """Create a trigger that refuses a change of rows by this statement."""
        self.writes(
            f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {by}; RETURN NEW; END $$; "
            f"CREATE TRIGGER refuse BEFORE {verb} ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION refuse()",
            undo=f"DROP TRIGGER refuse ON {table}; DROP FUNCTION refuse()",
        )

    def leave(self) -> None:
        while self._undo:
            self.writes(self._undo.pop())


def listed(storage: Storage, filter: Filter | None = None, limit: int = 10) -> list[int]:
    with storage.begin() as work:
        return [task.id for task in work.listing.search(filter or Filter(), None, limit).tasks]


UNKNOWN_STATUS = (
    "ALTER TABLE tasks DROP CONSTRAINT status_is_known; UPDATE tasks SET status = 'paused' WHERE id = 2",
    "DELETE FROM tasks WHERE status = 'paused'; ALTER TABLE tasks ADD CONSTRAINT status_is_known "
    "CHECK (status IN ('waiting', 'running', 'done', 'failed', 'cancelled'))",
)

READABLE = {
    "an error of a newer version": """error = '["ValueError", "boom", 1, {"code": 7}]'""",
    "an error that is an object": """error = '{"type": "ValueError"}'""",
    "an error that is no JSON": "error = 'boom'",
    "an error with other types": "error = '[1, null, null]'",
    "an error that is nested deeply": "error = repeat('[', 100000)",
    "an infinite expiry": "expire = 'infinity'",
    "an expiry in the year 20000": "expire = '20000-01-01'",
    "a creation before Christ": "created = '0044-03-15 BC'",
    "a creation that is infinitely long ago": "created = '-infinity'",
    "a run_at that is infinitely long ago": "run_at = '-infinity'",
    "a timeout that is no number": "timeout = 'NaN'",
    "an infinite timeout": "timeout = 'infinity'",
    "a negative timeout": "timeout = -1",
    "a strange callback": "callback = 'nowhere'",
    "a progress of a newer version": "progress = '[0.5, \"half\", 3]'",
    "a progress that is no JSON": "progress = 'half'",
    "a progress that is an object": "progress = '{}'",
    "an output of an infinite time": "printed = 'infinity'",
}


@pytest.mark.parametrize("change", READABLE.values(), ids=READABLE)
class TestReading:
    def test_an_odd_row_is_listed_and_viewed(self, storage: Storage, administrator: Administrator, change: str):
        add(storage, *[submission()] * 3)
        administrator.sets(change)
        assert listed(storage) == [3, 2, 1]
        assert task(storage, 2).status is Status.WAITING

    def test_an_odd_row_is_claimed_with_its_neighbours(
        self, storage: Storage, administrator: Administrator, change: str
    ):
        add(storage, *[submission()] * 3)
        administrator.sets(change)
        assert sorted(ids(claim(storage))) == [1, 2, 3]

    def test_an_odd_row_is_rescued_with_its_neighbours(
        self, storage: Storage, administrator: Administrator, change: str
    ):
        add(storage, *[submission()] * 3)
        claim(storage)
        administrator.sets(change)
        assert sorted(each.id for each in rescue(storage, at(31))) == [1, 2, 3]


def test_an_error_of_a_newer_version_is_read_as_far_as_it_is_known(storage: Storage, administrator: Administrator):
    add(storage, *[submission()] * 2)
    administrator.sets("""error = '["ValueError", "boom", 1, "more"]'""")
    error = task(storage, 2).error
    assert error
    assert (error.type, error.message, error.attempt) == ("ValueError", "boom", 1)


@pytest.mark.parametrize("share", ["NaN", "Infinity", "-1", "1.5"])
def test_a_progress_that_is_no_share_is_none(storage: Storage, administrator: Administrator, share: str):
    add(storage, *[submission()] * 2)
    administrator.sets(f"progress = '[{share}, \"half\"]'")
    assert task(storage, 2).progress is None


def test_an_error_that_cannot_be_read_says_so(storage: Storage, administrator: Administrator):
    add(storage, *[submission()] * 2)
    administrator.sets("error = 'boom'")
    error = task(storage, 2).error
    assert error
    assert error.message == "the stored error cannot be read"


def test_a_task_of_an_unknown_status_is_left_out_of_lists_and_logged_once(
    storage: Storage, administrator: Administrator, process_log: pytest.LogCaptureFixture
):
    add(storage, *[submission()] * 3)
    administrator.writes(*UNKNOWN_STATUS)
    for _ in range(3):
        assert listed(storage) == [3, 1]
        assert listed(storage, limit=2) == [3, 1]
        assert ids(claim(storage, limit=1, wanted={"none": 1})) == []
    assert sum("task 2 cannot be read" in record.getMessage() for record in process_log.records) == 1
    with storage.begin() as work:
        work.listing.counts()


def test_a_view_of_a_task_of_an_unknown_status_says_that_it_cannot_be_read(
    storage: Storage, administrator: Administrator
):
    add(storage, *[submission()] * 3)
    administrator.writes(*UNKNOWN_STATUS)
    with pytest.raises(UnreadableTask, match="task 2 cannot be read by this version of the service: its status is"):
        task(storage, 2)
    assert task(storage, 3).id == 3


ODD_ATTEMPTS = ["outcome = 'paused'", "error = 'boom'", "traceback = '{'", "log = 'printed'", "log = '[]'"]


@pytest.mark.parametrize("change", ODD_ATTEMPTS)
def test_an_odd_record_of_a_start_is_shown(storage: Storage, administrator: Administrator, change: str):
    add(storage, submission())
    claim(storage)
    rescue(storage, at(31))
    administrator.writes(
        "ALTER TABLE attempts DROP CONSTRAINT outcome_is_known",
        undo="DELETE FROM attempts; "
        "ALTER TABLE attempts ADD CONSTRAINT outcome_is_known "
        "CHECK (outcome IN ('running', 'done', 'failed', 'lost', 'cancelled'))",
    )
    administrator.writes(f"UPDATE attempts SET {change}")
    with storage.begin() as work:
        assert len(work.tasks.attempts(TaskId(1))) == 1


UNCLAIMABLE = {
    "lowered attempts": "claims = 1, attempt = 1, max_attempts = 1",
    "as many claims as an integer holds": "claims = 2147483647",
    "as many attempts as an integer holds": "claims = 2147483647, attempt = 2147483646, max_attempts = 2147483647",
}


@pytest.mark.parametrize("limit", [1, 2, 7])
@pytest.mark.parametrize("change", UNCLAIMABLE.values(), ids=UNCLAIMABLE)
def test_a_task_that_cannot_be_claimed_fails_with_a_sentence_and_its_neighbours_are_claimed(
    storage: Storage, administrator: Administrator, change: str, limit: int
):
    add(storage, *[submission(max_attempts=5)] * 7)
    for id in (1, 5):
        administrator.sets(change, id)
    claimed = [id for _ in range(8) for id in ids(claim(storage, limit))]
    assert claimed == [2, 3, 4, 6, 7]
    for id in (1, 5):
        odd = task(storage, id)
        assert (odd.status, odd.finished, odd.error and odd.error.type) == (Status.FAILED, NOW, "SetAside")
        assert odd.error
        assert odd.error.message in ("it has had as many attempts as it may have", "integer out of range")


def test_a_task_whose_claim_a_trigger_refuses_fails_with_its_message(storage: Storage, administrator: Administrator):
    add(storage, *[submission()] * 3)
    administrator.refuses("UPDATE", "tasks", "NEW.id = 2 AND NEW.status = 'running'")
    assert ids(claim(storage)) == [1, 3]
    assert (error := task(storage, 2).error)
    assert error.message == "the trigger refuses"


def test_a_task_that_cannot_even_be_set_aside_is_left_out_and_logged_once(
    storage: Storage, administrator: Administrator, process_log: pytest.LogCaptureFixture
):
    add(storage, *[submission()] * 3)
    administrator.refuses("UPDATE", "tasks", "NEW.id = 2")
    assert ids(claim(storage, 2)) == [1]
    assert ids(claim(storage, 2)) == [3]
    add(storage, submission())
    assert ids(claim(storage, 2)) == [4]
    assert task(storage, 2).status is Status.WAITING
    assert len(process_log.records) == 1


def test_an_error_that_no_row_is_to_blame_for_sets_no_task_aside(
    storage: Storage, administrator: Administrator, postgres_url: str
):
    add(storage, *[submission()] * 3)
    administrator.writes(
        "CREATE ROLE reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
        undo="DROP OWNED BY reader; DROP ROLE reader",
    )
    with (
        closing(Database(with_settings(postgres_url, role="reader"))) as database,
        pytest.raises(StatementRefused),
    ):
        claim(in_postgres(database))
    assert ids(claim(storage)) == [1, 2, 3]


BROKEN = {
    "misses a table": "INSERT INTO audit VALUES (NEW.id)",
    "misses a column": "PERFORM audited FROM tasks",
    "misses a permission": "RAISE insufficient_privilege",
    "misses another database": "RAISE sqlclient_unable_to_establish_sqlconnection",
}


@pytest.mark.parametrize("by", BROKEN.values(), ids=BROKEN)
class TestBrokenTriggers:
    """A trigger of a stranger that is broken for the rows of one type: they wait until it is mended, and no other."""

    @pytest.fixture
    def breaks(self, administrator: Administrator, by: str) -> Callable[..., None]:
        """Breaks the changes of its type, or those to one status."""

        def break_changes(status: str | None = None) -> None:
            is_status = f"NEW.status = '{status}'" if status else "true"
            administrator.refuses("INSERT OR UPDATE", "tasks", f"NEW.type = 'odd' AND {is_status}", by)

        return break_changes

    @pytest.fixture
    def held(self, storage: Storage) -> Sequence[Task]:
        """Running tasks, the second of which is of that type."""
        add(storage, *map(submission, (ADD, "odd", ADD)))
        claimed = claim(storage, wanted={ADD: 9, "odd": 9})
        return sorted((each.task for each in claimed), key=lambda task: task.id)

    @pytest.fixture
    def running(self, held: Sequence[Task], breaks: Callable[..., None]) -> Sequence[Task]:
        """Running tasks, the second of which no write may change."""
        breaks()
        return held

    def test_its_tasks_are_claimed_when_it_is_mended_and_the_others_at_once(
        self,
        storage: Storage,
        administrator: Administrator,
        breaks: Callable[..., None],
        monkeypatch: pytest.MonkeyPatch,
    ):
        monkeypatch.setattr("adapters.postgres.claim.LEFT_OUT_SECONDS", 0.0)
        add(storage, *map(submission, (ADD, "odd", ADD)))
        breaks("running")
        assert ids(claim(storage, wanted={ADD: 9, "odd": 9})) == [1, 3]
        administrator.leave()
        assert ids(claim(storage, wanted={ADD: 9, "odd": 9})) == [2]

    def test_a_trigger_that_fails_for_every_task_is_not_tried_on_all_of_them(
        self, storage: Storage, breaks: Callable[..., None]
    ):
        add(storage, *[submission("odd")] * 1000)
        breaks("running")
        with pytest.raises(StatementRefused):
            claim(storage, wanted={"odd": 1000}, limit=1000)
        assert len(storage.autocommit._claim._left_out) == MAX_TRIGGER_FAILURES  # type: ignore[attr-defined]

    def test_outcomes_that_a_trigger_refuses_do_not_keep_those_behind_them_from_being_stored(
        self, storage: Storage, breaks: Callable[..., None]
    ):
        add(storage, *[submission("odd")] * 2 * MAX_TRIGGER_FAILURES, submission())
        claimed = claim(storage, wanted={ADD: 99, "odd": 99})
        breaks()
        outcomes = [Settlement.succeeded(each.task, at(1), "1") for each in claimed]
        last = next(each for each in outcomes if each.task.type == ADD)
        busy: Sequence[Settlement] = sorted(outcomes, key=lambda each: each is last)
        for _ in range(3):
            busy = storage.autocommit.settle_unlocked(busy).busy
        assert len(busy) == 2 * MAX_TRIGGER_FAILURES
        assert last not in busy

    def test_a_submission_of_its_type_is_refused_and_says_that_the_trigger_fails(
        self, storage: Storage, breaks: Callable[..., None]
    ):
        breaks()
        with pytest.raises(TriggerFailed):
            add(storage, submission("odd"))
        assert add(storage, submission())

    def test_the_leases_of_its_neighbours_are_renewed(self, storage: Storage, running: Sequence[Task]):
        lease = Lease.granted(HANDLER, at(100), 30)
        assert storage.autocommit.renew([each.hold for each in running], lease) == RenewalResult([], [])
        assert [task(storage, each.id).lease for each in running] == [lease, running[1].lease, lease]

    def test_the_starts_of_its_neighbours_are_stored_and_its_own_counts_as_locked(
        self, storage: Storage, running: Sequence[Task]
    ):
        reports = [ProgressReport(each.hold, at(1), Progress(0.5)) for each in running]
        assert storage.autocommit.report(reports) == [running[1].hold]
        assert [task(storage, each.id).started for each in running] == [at(1), running[1].started, at(1)]

    def test_the_logs_of_its_running_neighbours_are_stored_and_its_own_is_dropped(
        self, storage: Storage, running: Sequence[Task]
    ):
        assert storage.autocommit.report_logs([RunningLog.of(each, at(1), "so far") for each in running]) == []
        assert [stored(storage, each.id).printed for each in running] == [at(1), None, at(1)]

    @pytest.mark.parametrize("log", ["", "printed"])
    def test_its_outcomes_are_kept_and_those_of_its_neighbours_are_stored(
        self, storage: Storage, administrator: Administrator, running: Sequence[Task], log: str
    ):
        outcomes = [Settlement.succeeded(each, at(1), "1", log) for each in running]
        with pytest.raises(TriggerFailed):
            storage.autocommit.settle(outcomes)
        assert storage.autocommit.settle_unlocked(outcomes) == SettleResult([], [outcomes[1]])
        assert [task(storage, each.id).status.value for each in running] == ["done", "running", "done"]
        administrator.leave()
        assert storage.autocommit.settle_unlocked([outcomes[1]]) == SettleResult([], [])

    def test_its_tasks_are_not_failed_by_a_rescue(
        self, storage: Storage, held: Sequence[Task], breaks: Callable[..., None]
    ):
        breaks("waiting")
        with storage.begin() as work:
            taken = settle_lost(work, held, at(31))
            work.commit()
        assert sorted(each.id for each in taken) == [1, 3]
        assert task(storage, 2).status is Status.RUNNING


class TestRescuing:
    """A lapsed row that cannot be taken back, or not by the usual settlement."""

    @pytest.fixture
    def rescuing(self, storage: Storage) -> Callable[[], list[int]]:
        add(storage, *[submission(max_losses=3)] * 5)
        claim(storage)

        def rescue_all() -> list[int]:
            with storage.begin() as work:
                taken = settle_lost(work, work.queue.running_under(HANDLER, 100), at(31))
                work.commit()
            return sorted(task.id for task in taken)

        return rescue_all

    def test_max_losses_lowered_below_the_losses_fail_the_task_as_lost(
        self, storage: Storage, administrator: Administrator, rescuing: Callable[[], list[int]]
    ):
        administrator.sets("losses = 1, max_losses = 0")
        assert rescuing() == [1, 2, 3, 4, 5]
        odd = task(storage, 2)
        assert (odd.status, odd.error and odd.error.type) == (Status.FAILED, "Lost")

    def test_a_row_that_the_constraints_keep_from_waiting_again_is_set_aside(
        self, storage: Storage, administrator: Administrator, rescuing: Callable[[], list[int]]
    ):
        administrator.sets("attempt = 0")
        assert rescuing() == [1, 2, 3, 4, 5]
        assert task(storage, 2).status is Status.FAILED
        assert task(storage, 3).status is Status.WAITING

    def test_a_row_that_a_trigger_keeps_from_waiting_again_is_set_aside(
        self, storage: Storage, administrator: Administrator, rescuing: Callable[[], list[int]]
    ):
        administrator.refuses("UPDATE", "tasks", "NEW.id = 2 AND NEW.status = 'waiting'")
        assert rescuing() == [1, 2, 3, 4, 5]
        odd = task(storage, 2)
        assert (odd.status, odd.error and odd.error.message) == (Status.FAILED, NOT_TAKEN_BACK)

    def test_a_row_that_refuses_every_change_is_left_and_logged_once(
        self,
        storage: Storage,
        administrator: Administrator,
        rescuing: Callable[[], list[int]],
        process_log: pytest.LogCaptureFixture,
    ):
        administrator.refuses("UPDATE", "tasks", "NEW.id = 2")
        assert rescuing() == [1, 3, 4, 5]
        logged = len(process_log.records)
        assert rescuing() == []
        assert len(process_log.records) == logged
        assert task(storage, 2).status is Status.RUNNING


ODD_LEASES = {
    "infinitely late": "lease_until = 'infinity'",
    "infinitely early": "lease_until = '-infinity'",
    "before Christ": "lease_until = '0044-03-15 BC'",
    "beyond the year 9999": "lease_until = '20000-01-01'",
    "in the last moment of the year 9999": "lease_until = '9999-12-31 23:59:59.999999Z'",
    "of a handler without a name": "handler = ''",
    "of a handler with an odd name": """handler = '{"a", \\, NULL}'""",
}
NO_LEASE = (
    "ALTER TABLE tasks DROP CONSTRAINT running_means_leased; UPDATE tasks SET lease_until = NULL WHERE id = 2",
    "ALTER TABLE tasks ADD CONSTRAINT running_means_leased CHECK ("
    "(status = 'running') = (handler IS NOT NULL) AND (handler IS NULL) = (lease_until IS NULL))",
)


class TestLapsedLeases:
    """Leases that an administrator wrote: one that stays the same for a whole lease was not renewed."""

    LEASE = 30.0

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def look(self, storage: Storage, clock: ManualClock) -> Callable[[float], list[int]]:
        """Looks for so many seconds, and returns the ids of the tasks that are taken back."""
        rescue = Rescue(storage.begin, storage.autocommit, clock, MemoryWakeUp(), self.LEASE)

        def look_for(seconds: float) -> list[int]:
            taken: list[int] = []
            for _ in range(int(seconds // 10) + 1):
                taken += [task.id for task in rescue()]
                clock.move(10)
            return sorted(taken)

        return look_for

    @pytest.mark.parametrize("change", ODD_LEASES.values(), ids=ODD_LEASES)
    def test_an_odd_lease_lapses_like_any_other(
        self, storage: Storage, administrator: Administrator, look: Callable[[float], list[int]], change: str
    ):
        add(storage, *[submission()] * 3)
        claim(storage)
        administrator.sets(change)
        assert look(self.LEASE) == []
        assert look(self.LEASE) == [1, 2, 3]

    def test_a_task_without_a_lease_is_taken_back_where_its_table_has_lost_the_constraint(
        self, storage: Storage, administrator: Administrator, look: Callable[[float], list[int]]
    ):
        add(storage, *[submission()] * 3)
        claim(storage)
        administrator.writes(*NO_LEASE)
        assert look(2 * self.LEASE) == [1, 2, 3]

    @pytest.mark.parametrize("change", ["lease_until = 'infinity'", "lease_until = '-infinity'"])
    def test_a_handler_that_renews_an_odd_lease_keeps_its_task(
        self,
        storage: Storage,
        administrator: Administrator,
        look: Callable[[float], list[int]],
        clock: ManualClock,
        change: str,
    ):
        add(storage, *[submission()] * 3)
        holds = [claimed.task.hold for claimed in claim(storage)]
        administrator.sets(change)
        for _ in range(6):
            assert look(15) == []
            assert not storage.autocommit.renew(holds, Lease.granted(HANDLER, clock.now(), self.LEASE)).lost

    @pytest.mark.parametrize("seconds", ["'infinity'", "'NaN'", "-1", "1e300"])
    def test_a_handler_with_an_odd_length_of_its_leases_is_given_up_after_the_longest_that_there_is(
        self, storage: Storage, administrator: Administrator, look: Callable[[float], list[int]], seconds: str
    ):
        with storage.begin() as work:
            work.types.publish(HANDLER, [], at(10**6), lease=self.LEASE)
            work.commit()
        add(storage, submission())
        claim(storage)
        administrator.writes(f"UPDATE handlers SET lease = {seconds}")
        assert look(MAX_LEASE_SECONDS + 2 * self.LEASE) == [1]

    def test_more_tasks_than_a_batch_that_refuse_to_be_taken_back_hide_no_others(
        self,
        storage: Storage,
        administrator: Administrator,
        look: Callable[[float], list[int]],
        monkeypatch: pytest.MonkeyPatch,
    ):
        monkeypatch.setattr("application.use_cases.rescue.BATCH_TASKS", 3)
        add(storage, *[submission()] * 12)
        claim(storage, 10, handler="refused")
        claim(storage, 2, handler="good", lease=self.LEASE + 1)
        administrator.refuses("UPDATE", "tasks", "OLD.handler = 'refused'")
        assert look(4 * self.LEASE) == [11, 12]


class TestCleaning:
    """Expired tasks that cannot be deleted, or not now."""

    @pytest.fixture
    def clean(self, storage: Storage) -> Clean:
        add(storage, *(submission(ttl=ttl, callback="http://a/") for ttl in range(1, 6)))
        clock = ManualClock()
        clock.set(at(60))
        return Clean(storage.begin, storage.pending, clock)

    def test_a_row_that_a_trigger_keeps_is_left_out_and_its_neighbours_are_deleted(
        self, administrator: Administrator, clean: Clean, process_log: pytest.LogCaptureFixture
    ):
        administrator.refuses("DELETE", "tasks", "OLD.id = 2")
        assert list(clean().unrun) == [1, 3, 4, 5]
        logged = len(process_log.records)
        assert clean() == DeletedTasks(0)
        assert len(process_log.records) == logged

    def test_rows_that_a_table_of_a_stranger_refers_to_block_no_batch(self, administrator: Administrator, clean: Clean):
        administrator.writes(
            "CREATE TABLE notes (task bigint REFERENCES tasks); INSERT INTO notes VALUES (1), (2)",
            undo="DROP TABLE notes",
        )
        batches = [list(clean(limit=2).unrun) for _ in range(3)]
        assert batches == [[], [3, 4], [5]]

    @pytest.mark.parametrize("table", ["attempts", "deliveries"])
    def test_a_task_beside_which_a_row_is_locked_is_left_and_its_neighbours_are_deleted(
        self, storage: Storage, database: Database, clean: Clean, table: str
    ):
        fail(storage, claim(storage, 2)[1].task)
        with database.engine.begin() as somebody:
            somebody.exec_driver_sql(f"SELECT FROM {table} WHERE task = 2 FOR UPDATE")
            assert clean_after(clean, 640).deleted == 3
        assert clean_after(clean, 100).deleted == 1

    def test_a_row_that_is_read_only_in_part_is_deleted(self, administrator: Administrator, clean: Clean):
        administrator.sets("created = '-infinity', expire = '0044-03-15 BC', error = 'x'")
        assert sorted(clean().unrun) == [1, 2, 3, 4, 5]


def clean_after(clean: Clean, seconds: float) -> DeletedTasks:
    clean._clock.move(seconds)  # type: ignore[attr-defined]
    return clean()


class TestHandlers:
    def test_a_dead_handler_that_is_locked_or_kept_is_left_and_the_others_forgotten(
        self, storage: Storage, database: Database, administrator: Administrator
    ):
        with storage.begin() as work:
            for name in "abcd":
                work.types.publish(HandlerId(name), [], at(0))
            work.commit()
        administrator.refuses("DELETE", "handlers", "OLD.id = 'b'")
        with database.engine.begin() as somebody:
            somebody.exec_driver_sql("SELECT FROM handlers WHERE id = 'c' FOR UPDATE")
            with storage.begin() as work:
                assert work.types.forget_dead(at(100_000)) == 2
                work.types.withdraw(HandlerId("c"))
                work.commit()

    @pytest.mark.parametrize(("verb", "row"), [("UPDATE", "NEW"), ("DELETE", "OLD")])
    def test_a_type_that_can_be_neither_noted_as_abandoned_nor_forgotten_is_left_and_the_others_forgotten(
        self, storage: Storage, administrator: Administrator, verb: str, row: str
    ):
        with storage.begin() as work:
            types = [TaskType(name=TypeName(name)) for name in "abc"]
            work.types.publish(HandlerId("dead"), types, at(0))
            work.types.publish(HANDLER, [TaskType(name=ADD)], at(100))
            work.commit()
        administrator.refuses(verb, "task_types", f"{row}.name = 'b'")
        with storage.begin() as work:
            work.types.review(at(10))
            assert [*work.types.forget_abandoned(at(80), at(20), 10)] == ["a", "c"]
            work.commit()

    @pytest.mark.parametrize("change", ["max_attempts = 0", "priority = 999", "timeout = 'NaN'", "callback = 'x'"])
    def test_a_type_with_an_odd_option_has_the_default_of_it(
        self, storage: Storage, administrator: Administrator, change: str
    ):
        with storage.begin() as work:
            work.types.publish(HANDLER, [TaskType(name=ADD, options=Options(max_losses=7))], at(30))
            work.commit()
        administrator.writes(f"UPDATE task_types SET {change}")
        with storage.begin() as work:
            (known,) = work.types.all(NOW)
        assert known.type.options == Options(max_losses=7)

    @pytest.mark.parametrize("schema", ["", "{", "[]", "7", '{"a": NaN}', '{"a":' * 5000 + "1" + "}" * 5000])
    def test_a_type_whose_schema_is_none_takes_any_object_and_is_listed_with_its_neighbours(
        self, storage: Storage, administrator: Administrator, schema: str
    ):
        with storage.begin() as work:
            types = [TaskType(name=TypeName(name), schema='{"type":"object","maxProperties":1}') for name in "ab"]
            work.types.publish(HANDLER, types, at(30))
            work.commit()
        administrator.writes(f"UPDATE task_types SET schema = '{schema}' WHERE name = 'a'")
        with storage.begin() as work:
            assert [each.type.schema for each in work.types.all(NOW)] == [ANY_OBJECT, types[1].schema]

    def test_an_odd_schema_of_a_handler_hides_no_other_schema_of_the_type(
        self, storage: Storage, administrator: Administrator
    ):
        with storage.begin() as work:
            for handler in "abc":
                work.types.publish(HandlerId(handler), [TaskType(name=ADD)], at(30))
            work.commit()
        administrator.writes("UPDATE handlers SET schemas = '{NULL}' WHERE id = 'a'")
        administrator.writes("UPDATE handlers SET schemas = '{no JSON}' WHERE id = 'b'")
        with storage.begin() as work:
            assert work.types.schemas_elsewhere(ADD, HANDLER, NOW) == {ANY_OBJECT}


class TestTicking:
    @pytest.mark.parametrize(
        "change",
        ["next = '-infinity'", "next = '0044-03-15 BC'", "every = 'never'", "timezone = 'Mars'", "next = 'infinity'"],
    )
    def test_an_odd_schedule_keeps_no_other_from_ticking(
        self, storage: Storage, administrator: Administrator, change: str
    ):
        service = Recurring(storage)
        service.publish("a", recurring("odd"), recurring("report"))
        administrator.writes(f"UPDATE schedules SET {change} WHERE type = 'odd'")
        service.clock.set(at(3600))
        assert "report" in [task.type for task in service.tick()]
        assert service.look().next_in > 0

    @pytest.mark.parametrize("table", ["tasks", "schedules"])
    def test_a_tick_that_a_trigger_refuses_keeps_no_other_from_ticking(
        self, storage: Storage, administrator: Administrator, process_log: pytest.LogCaptureFixture, table: str
    ):
        service = Recurring(storage)
        service.publish("a", recurring("odd"), recurring("report"))
        administrator.refuses("INSERT OR UPDATE", table, "NEW.type = 'odd'")
        service.clock.set(at(3600))
        assert [task.type for task in service.tick()] == ["report"]
        logged = len(process_log.records)
        assert service.tick() == []
        assert service.look().next_in > 0
        assert len(process_log.records) == logged

    def test_a_skipped_tick_that_cannot_be_counted_keeps_no_other_from_being_counted(
        self, storage: Storage, administrator: Administrator
    ):
        service = Recurring(storage)
        service.publish("a", recurring("odd"), recurring("report"))
        for type in ("odd", "report"):
            service.limit(type, accepting=False)
        administrator.writes("UPDATE schedules SET skipped = 2147483647 WHERE type = 'odd'")
        service.clock.set(at(3600))
        assert service.tick() == []
        assert service.known()["report"].skipped == 1


class TestDelivering:
    @pytest.fixture
    def finished(self, storage: Storage) -> Storage:
        for each in add(storage, *[submission(callback="http://a/")] * 3):
            save(storage, each.cancel(NOW))
        return storage

    def claimed(self, storage: Storage) -> list[int]:
        with storage.begin() as work:
            claimed = work.deliveries.claim(NOW, at(60), 10)
            work.commit()
        return [each.task for each in claimed]

    @pytest.mark.parametrize(
        "change", ["error = 'no JSON'", "url = 'nowhere'", "due = '-infinity'", "due = '0044-03-15 BC'"]
    )
    def test_an_odd_delivery_is_claimed_with_its_neighbours(
        self, finished: Storage, administrator: Administrator, change: str
    ):
        administrator.writes(f"UPDATE deliveries SET {change} WHERE task = 2")
        assert sorted(self.claimed(finished)) == [1, 2, 3]

    def test_a_delivery_that_cannot_be_claimed_is_given_up_and_its_neighbours_are_claimed(
        self, finished: Storage, administrator: Administrator
    ):
        administrator.writes("UPDATE deliveries SET attempts = 2147483647 WHERE task = 2")
        assert self.claimed(finished) == [1, 3]
        delivery = stored(finished, 2).delivery
        assert delivery
        assert (delivery.state, delivery.error) == (DeliveryState.GIVEN_UP, "integer out of range")

    def test_a_delivery_that_refuses_every_change_keeps_no_other_from_being_claimed(
        self, finished: Storage, administrator: Administrator
    ):
        administrator.refuses("UPDATE", "deliveries", "NEW.task = 2")
        assert self.claimed(finished) == [1, 3]
        assert self.claimed(finished) == []
