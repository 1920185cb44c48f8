"""Rows that an administrator or a newer version wrote: one of them keeps no chore of a janitor from the others."""

import pytest

from adapters.clocks import ManualClock
from adapters.memory import MemoryWakeUp
from adapters.postgres import Database
from application.ports.batches import NewBatch
from application.ports.cleaning import DeletedTasks
from application.use_cases.clean import Clean
from application.use_cases.clean_batches import CleanBatches
from application.use_cases.finish_batches import FinishBatches
from domain.delivery import DeliveryState
from domain.dependencies import Dependencies
from domain.ids import HandlerId, TaskId, TypeName
from domain.options import Options
from domain.task_type import ANY_OBJECT, TaskType
from tests.administrator import Administrator
from tests.concurrency import asked
from tests.limiting import claim_limited, publish
from tests.recurring import Recurring, recurring
from tests.steps import ADD, HANDLER, NOW, add, at, claim, fail, save, stored, submission, task
from tests.storage import Storage


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

    def test_a_parent_that_cannot_be_kept_is_left_out_and_its_neighbours_are_deleted(
        self, storage: Storage, administrator: Administrator, clean: Clean
    ):
        waits = Dependencies(parents=frozenset({TaskId(1), TaskId(2)}))
        with storage.begin() as work:
            (child,) = work.tasks.add([submission(dependencies=waits, ttl=9_999)])
            assert child
            assert not work.dependencies.add({child.id: waits})
            for each in work.tasks.lock(TaskId(1), TaskId(2)):
                work.tasks.save(each.cancel(at(0)))
            work.commit()
        administrator.refuses("UPDATE", "tasks", "OLD.id = 2")
        assert list(clean_after(clean, 640).unrun) == [3, 4, 5]
        assert task(storage, 1).expire > at(700)
        assert clean() == DeletedTasks(0)

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


class TestBatches:
    """Expired batches that cannot be deleted, or not now."""

    @pytest.fixture
    def clean(self, storage: Storage) -> CleanBatches:
        with storage.begin() as work:
            for _ in range(4):
                assert work.batches.add(NewBatch(now=NOW, ttl=60, callback="http://a/"))
            work.commit()
        clock = ManualClock(NOW)
        FinishBatches(storage.begin, storage.pending, clock, MemoryWakeUp()).due()
        clock.set(at(61))
        return CleanBatches(storage.begin, clock)

    @pytest.mark.parametrize("verb", ["DELETE", "DELETE OR UPDATE"])
    def test_a_batch_that_a_trigger_keeps_is_left_and_the_others_are_deleted(
        self, database: Database, administrator: Administrator, clean: CleanBatches, verb: str
    ):
        administrator.refuses(verb, "batches", "OLD.id = 2")
        assert clean() == (4 if verb == "DELETE" else 3)
        assert asked(database, "SELECT id FROM batches") == [(2,)]
        assert clean() == 0

    def test_a_batch_whose_delivery_is_locked_is_left_and_the_others_are_deleted(
        self, database: Database, clean: CleanBatches
    ):
        with database.engine.begin() as somebody:
            somebody.exec_driver_sql("SELECT FROM batch_deliveries WHERE batch = 2 FOR UPDATE")
            assert clean() == 4
        assert asked(database, "SELECT id FROM batches") == [(2,)]


class TestLanes:
    def test_a_task_that_cannot_be_changed_keeps_no_other_one_from_its_lane(
        self, storage: Storage, administrator: Administrator
    ):
        add(storage, *[submission()] * 5)
        publish(storage, lane="user")
        administrator.refuses("UPDATE", "tasks", "OLD.id = 2")
        with storage.begin() as work:
            assert work.limits.assign_lanes(9) == 4
            work.commit()
        assert [each.task.id for each in claim_limited(storage).claimed] == [1, 3, 4, 5]


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

    @pytest.mark.parametrize("schema", ["{", "7"])
    def test_a_schema_of_results_that_is_none_says_nothing_of_them(
        self, storage: Storage, administrator: Administrator, schema: str
    ):
        with storage.begin() as work:
            work.types.publish(HANDLER, [TaskType(name=ADD, result_schema='{"type":"null"}')], at(30))
            work.commit()
        administrator.writes(f"UPDATE task_types SET result_schema = '{schema}'")
        with storage.begin() as work:
            assert [each.type for each in work.types.all(NOW)] == [TaskType(name=ADD)]

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
        return [each.id for each in claimed]

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
