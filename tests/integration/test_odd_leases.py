"""Running tasks with odd rows or leases: they are taken back or left, and their neighbours are taken back."""

from collections.abc import Callable

import pytest

from adapters.clocks import ManualClock
from adapters.memory import MemoryWakeUp
from application.rescue_guard import MAX_LEASE_SECONDS
from application.use_cases.rescue import Rescue
from application.use_cases.settle_lost import NOT_TAKEN_BACK, settle_lost
from domain.lease import Lease
from domain.status import Status
from tests.administrator import Administrator
from tests.steps import HANDLER, add, at, claim, submission, task
from tests.storage import Storage


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
            return sorted(each.task.id for each in taken)

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
