"""Published types: the types that handlers can run."""

from collections.abc import Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from application.ports.unit_of_work import Begin
from domain.ids import HandlerId, TypeName
from domain.options import Options
from domain.schedule import Recurrence, Schedule
from domain.task_type import TaskType
from tests.steps import NOW, add_one, at, claim
from tests.storage import Storage

ADD = TaskType(
    name=TypeName("add"),
    description="Adds.",
    schema='{"type":"object"}',
    result_schema='{"type":"number"}',
    options=Options(timeout=5),
)
REPORT = TaskType(
    name=TypeName("report"), options=Options(priority=3, max_attempts=4, max_losses=0), retries_timeout=False
)
ONE, TWO = HandlerId("one"), HandlerId("two")


def test_the_processes_of_handlers_are_known_where_they_said_which(begin: Begin, storage: Storage):
    with begin() as work:
        work.types.publish(ONE, [ADD], at(10), "boot 7")
        work.types.publish(TWO, [ADD], at(10))
        work.commit()
    assert storage.pending.processes() == {ONE: "boot 7"}


def publish(begin: Begin, handler: HandlerId, *types: TaskType, until: float = 30) -> None:
    with begin() as work:
        work.types.publish(handler, types, at(until))
        work.commit()


def known(begin: Begin, seconds: float = 0) -> dict[str, bool]:
    with begin() as work:
        return {each.type.name: each.live for each in work.types.all(at(seconds))}


def test_published_types_are_known_as_they_are(begin: Begin):
    publish(begin, ONE, REPORT, ADD)
    with begin() as work:
        assert [each.type for each in work.types.all(NOW)] == [ADD, REPORT]


@pytest.mark.parametrize("published", ['{"type":["integer","null"]}', None])
def test_the_schema_of_results_is_that_of_the_newest_publication(begin: Begin, published: str | None):
    publish(begin, ONE, ADD)
    publish(begin, TWO, replace(ADD, result_schema=published))
    with begin() as work:
        (known,) = work.types.all(NOW)
    assert (known.type.result_schema, known.changed) == (published, None)


def test_a_type_lives_as_long_as_a_handler_that_has_it(begin: Begin):
    publish(begin, ONE, ADD, REPORT, until=10)
    publish(begin, TWO, ADD, until=20)
    assert known(begin, 5) == {"add": True, "report": True}
    assert known(begin, 15) == {"add": True, "report": False}
    assert known(begin, 25) == {"add": False, "report": False}


def test_a_renewed_handler_lives_longer(begin: Begin):
    publish(begin, ONE, ADD, until=10)
    with begin() as work:
        assert work.types.renew(ONE, at(50))
        work.commit()
    assert known(begin, 40) == {"add": True}


def test_an_unknown_handler_cannot_be_renewed(begin: Begin):
    with begin() as work:
        assert not work.types.renew(ONE, at(50))


def test_a_withdrawn_handler_leaves_its_types_known(begin: Begin):
    publish(begin, ONE, ADD)
    with begin() as work:
        work.types.withdraw(ONE)
        work.commit()
    assert known(begin) == {"add": False}


def test_the_newest_publication_of_a_type_counts(begin: Begin):
    publish(begin, ONE, ADD)
    newer = TaskType(name=ADD.name, description="Adds better.")
    publish(begin, TWO, newer)
    with begin() as work:
        assert [each.type for each in work.types.all(NOW)] == [newer]


def changes(begin: Begin) -> dict[str, datetime | None]:
    with begin() as work:
        return {each.type.name: each.changed for each in work.types.all(NOW)}


def test_the_time_of_a_change_is_that_of_the_publication_which_brought_another_schema(begin: Begin):
    publish(begin, ONE, ADD, REPORT)
    publish(begin, TWO, replace(ADD, description="Adds better."), REPORT)
    assert changes(begin) == {"add": None, "report": None}
    earliest = datetime.now(UTC) - timedelta(minutes=1)
    publish(begin, TWO, replace(ADD, schema="{}"), REPORT)
    first = changes(begin)
    assert first["add"] is not None
    assert first["add"] > earliest
    assert first["report"] is None
    publish(begin, ONE, replace(ADD, schema="{}"))
    assert changes(begin) == first
    publish(begin, ONE, ADD)
    assert changes(begin)["add"] > first["add"]  # type: ignore[operator]


def test_a_handler_that_publishes_again_has_the_new_types_only(begin: Begin):
    publish(begin, ONE, ADD)
    publish(begin, ONE, REPORT)
    assert known(begin) == {"add": False, "report": True}


def elsewhere(begin: Begin, handler: HandlerId, seconds: float = 0) -> Set[str]:
    with begin() as work:
        return work.types.schemas_elsewhere(ADD.name, handler, at(seconds))


OLDER = replace(ADD, schema='{"type":"object","required":["a"]}')


def test_a_handler_knows_the_schemas_of_the_others(begin: Begin):
    publish(begin, ONE, REPORT, OLDER)
    publish(begin, TWO, REPORT, ADD)
    assert elsewhere(begin, ONE) == {ADD.schema}
    assert elsewhere(begin, TWO) == {OLDER.schema}
    assert elsewhere(begin, HandlerId("three")) == {ADD.schema, OLDER.schema}


def test_a_schema_of_several_handlers_is_one(begin: Begin):
    publish(begin, ONE, ADD)
    publish(begin, TWO, ADD)
    assert elsewhere(begin, ONE) == elsewhere(begin, HandlerId("three")) == {ADD.schema}


def test_schemas_live_as_long_as_their_handler(begin: Begin):
    publish(begin, ONE, ADD, until=10)
    assert elsewhere(begin, TWO, 9) == {ADD.schema}
    assert elsewhere(begin, TWO, 10) == set()
    with begin() as work:
        work.types.withdraw(ONE)
        work.commit()
    assert elsewhere(begin, TWO, 9) == set()


def test_a_handler_that_publishes_again_has_the_new_schemas_only(begin: Begin):
    publish(begin, ONE, REPORT, ADD)
    publish(begin, ONE, OLDER)
    assert elsewhere(begin, TWO) == {OLDER.schema}
    publish(begin, ONE, REPORT)
    assert elsewhere(begin, TWO) == set()


def test_handlers_long_dead_are_forgotten(begin: Begin):
    publish(begin, ONE, ADD, until=0)
    publish(begin, TWO, ADD, until=5)
    with begin() as work:
        assert work.types.forget_dead(at(86_400)) == 1
        assert not work.types.renew(ONE, at(99_999))
        assert work.types.renew(TWO, at(99_999))


def abandoned(begin: Begin, seconds: float = 0) -> set[str]:
    with begin() as work:
        return {each.type.name for each in work.types.all(at(seconds)) if each.abandoned}


def withdraw(begin: Begin, handler: HandlerId) -> None:
    with begin() as work:
        work.types.withdraw(handler)
        work.commit()


def review(begin: Begin, seconds: float = 0) -> None:
    with begin() as work:
        work.types.review(at(seconds))
        work.commit()


def forget(begin: Begin, seconds: float, retention: float = 60, limit: int = 10) -> Sequence[str]:
    with begin() as work:
        forgotten = work.types.forget_abandoned(at(seconds), at(seconds - retention), limit)
        work.commit()
    return forgotten


class TestAbandoned:
    """A type is abandoned while no live handler has it and others live, and stays so while none lives."""

    def test_a_type_that_the_next_handler_lacks_is_abandoned(self, begin: Begin):
        publish(begin, ONE, ADD, REPORT)
        assert abandoned(begin) == set()
        withdraw(begin, ONE)
        assert abandoned(begin) == set()
        publish(begin, TWO, ADD)
        assert abandoned(begin) == {"report"}
        publish(begin, ONE, REPORT)
        assert abandoned(begin) == set()

    def test_a_type_of_an_older_handler_that_is_still_alive_is_not_abandoned(self, begin: Begin):
        publish(begin, ONE, ADD, REPORT, until=10)
        publish(begin, TWO, ADD, until=20)
        assert abandoned(begin, 9) == set()
        assert abandoned(begin, 10) == {"report"}

    def test_no_type_is_abandoned_when_all_handlers_are_gone(self, begin: Begin):
        publish(begin, ONE, ADD, REPORT, until=10)
        review(begin, 5)
        review(begin, 15)
        assert abandoned(begin, 20) == set()

    def test_a_type_stays_abandoned_while_no_handler_lives(self, begin: Begin):
        publish(begin, ONE, REPORT, until=10)
        publish(begin, TWO, ADD, until=20)
        review(begin, 15)
        assert abandoned(begin, 25) == {"report"}
        review(begin, 25)
        assert abandoned(begin, 25) == {"report"}

    def test_a_handler_that_comes_back_to_life_has_its_types_again(self, begin: Begin):
        publish(begin, ONE, REPORT, until=10)
        publish(begin, TWO, ADD, until=99)
        review(begin, 15)
        with begin() as work:
            work.types.renew(ONE, at(40))
            work.commit()
        assert abandoned(begin, 30) == set()
        review(begin, 30)
        withdraw(begin, TWO)
        assert abandoned(begin, 50) == set()


class TestForgettingTypes:
    @pytest.fixture(autouse=True)
    def published(self, begin: Begin) -> None:
        """ADD has a live handler. REPORT is abandoned at 10."""
        publish(begin, ONE, REPORT, until=10)
        publish(begin, TWO, ADD, until=10_000)
        review(begin, 10)

    def test_a_type_is_forgotten_after_the_retention(self, begin: Begin):
        review(begin, 69)
        assert list(forget(begin, 69)) == []
        assert list(forget(begin, 70)) == ["report"]
        assert known(begin, 70) == {"add": True}
        assert list(forget(begin, 99)) == []

    def test_a_type_is_not_forgotten_before_it_was_seen_to_be_abandoned(self, begin: Begin):
        publish(begin, ONE, REPORT, until=20)
        assert list(forget(begin, 90)) == []
        review(begin, 90)
        assert list(forget(begin, 149)) == []
        assert list(forget(begin, 150)) == ["report"]

    def test_a_type_that_a_live_handler_has_is_not_forgotten(self, begin: Begin):
        publish(begin, ONE, REPORT, until=10_000)
        review(begin, 80)
        assert list(forget(begin, 80)) == []

    def test_a_type_of_a_handler_that_came_back_to_life_is_not_forgotten(self, begin: Begin):
        with begin() as work:
            work.types.renew(ONE, at(10_000))
            work.commit()
        assert list(forget(begin, 80)) == []

    def test_a_publication_begins_the_retention_anew(self, begin: Begin):
        publish(begin, ONE, REPORT, until=70)
        withdraw(begin, ONE)
        review(begin, 80)
        assert list(forget(begin, 139)) == []
        assert list(forget(begin, 140)) == ["report"]

    @pytest.mark.parametrize("is_running", [False, True])
    def test_a_type_that_a_task_has_is_not_forgotten(self, storage: Storage, is_running: bool):
        task = add_one(storage, REPORT.name)
        if is_running:
            claim(storage, wanted={REPORT.name: 1})
        assert list(forget(storage.begin, 80)) == []
        with storage.begin() as work:
            work.tasks.remove(task.id)
            work.commit()
        assert list(forget(storage.begin, 80)) == ["report"]

    def test_types_are_forgotten_in_batches(self, begin: Begin):
        publish(begin, ONE, *[replace(REPORT, name=TypeName(f"r{n}")) for n in range(5)], until=10)
        review(begin, 10)
        assert list(forget(begin, 80, limit=4)) == ["r0", "r1", "r2", "r3"]
        assert list(forget(begin, 80, limit=4)) == ["r4", "report"]

    def test_a_forgotten_type_takes_its_schedule_with_it(self, begin: Begin):
        with begin() as work:
            work.schedules.save([Recurrence(type=REPORT.name, schedule=Schedule(every="* * * * *"), next=at(60))])
            work.commit()
        forget(begin, 80)
        with begin() as work:
            assert work.schedules.types() == set()

    def test_a_dead_handler_whose_type_was_forgotten_publishes_it_again(self, begin: Begin):
        """It may only have been frozen, and renews its record when it goes on."""
        forget(begin, 80)
        with begin() as work:
            assert not work.types.renew(ONE, at(90))
            assert work.types.renew(TWO, at(10_000))

    def test_a_forgotten_type_can_be_published_again(self, begin: Begin):
        forget(begin, 80)
        publish(begin, ONE, REPORT, until=10_000)
        assert known(begin, 80) == {"add": True, "report": True}
        assert abandoned(begin, 80) == set()


def forget_one(begin: Begin, type: TaskType, seconds: float = 0) -> bool:
    with begin() as work:
        is_forgotten = work.types.forget(type.name, at(seconds))
        work.commit()
    return is_forgotten


class TestForgettingOneType:
    def test_a_type_that_nothing_has_is_forgotten_at_once(self, begin: Begin):
        publish(begin, ONE, ADD, until=10)
        publish(begin, TWO, REPORT)
        assert forget_one(begin, ADD, 10)
        assert known(begin) == {REPORT.name: True}
        assert not forget_one(begin, ADD, 10)

    def test_a_type_is_forgotten_though_no_handler_lives(self, begin: Begin):
        publish(begin, ONE, ADD, until=10)
        assert forget_one(begin, ADD, 10)
        assert known(begin) == {}

    def test_a_type_that_a_live_handler_has_stays(self, begin: Begin):
        publish(begin, ONE, ADD)
        assert not forget_one(begin, ADD)
        assert known(begin) == {ADD.name: True}

    def test_a_type_that_a_task_has_stays(self, storage: Storage):
        publish(storage.begin, ONE, ADD, until=10)
        add_one(storage, ADD.name)
        assert not forget_one(storage.begin, ADD, 10)
        assert known(storage.begin, 10) == {ADD.name: False}

    def test_a_dead_handler_that_had_it_publishes_its_types_again(self, begin: Begin):
        publish(begin, ONE, ADD, REPORT, until=10)
        assert forget_one(begin, ADD, 10)
        with begin() as work:
            assert not work.types.renew(ONE, at(40))
