"""Triggers of a stranger that are broken: their tasks wait until they are mended, and the others go on."""

from collections.abc import Callable, Sequence

import pytest

from adapters.postgres.claim import MAX_TRIGGER_FAILURES
from application.errors import StatementRefused, TriggerFailed
from application.ports.queue import ProgressReport, RenewalResult, SettleResult
from application.use_cases.settle_lost import settle_lost
from domain.lease import Lease
from domain.progress import Progress
from domain.settlement import RunningLog, Settlement
from domain.status import Status
from domain.task import Task
from tests.administrator import Administrator
from tests.steps import ADD, HANDLER, add, at, claim, ids, stored, submission, task
from tests.storage import Storage

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
        assert storage.autocommit.settle_unlocked(outcomes) == SettleResult([], [outcomes[1]], [])
        assert [task(storage, each.id).status.value for each in running] == ["done", "running", "done"]
        administrator.leave()
        assert storage.autocommit.settle_unlocked([outcomes[1]]) == SettleResult([], [])
        assert task(storage, running[1].id).status.value == "done"

    def test_its_tasks_are_not_failed_by_a_rescue(
        self, storage: Storage, held: Sequence[Task], breaks: Callable[..., None]
    ):
        breaks("waiting")
        with storage.begin() as work:
            taken = settle_lost(work, held, at(31))
            work.commit()
        assert sorted(each.task.id for each in taken) == [1, 3]
        assert task(storage, 2).status is Status.RUNNING
