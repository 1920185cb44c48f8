"""Forgetting types on a real database: beside handlers that publish, behind locks, beside the version before."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.clocks import ManualClock
from adapters.cron import CronCalendar
from adapters.postgres import Database
from adapters.postgres.published_types import PostgresPublishedTypes
from application.ports.unit_of_work import Begin
from application.use_cases.forget_types import ForgetTypes
from application.use_cases.publish_types import PublishTypes
from domain.ids import HandlerId, TypeName
from domain.task_type import TaskType
from tests.concurrency import asked
from tests.recurring import HOURLY, recurring
from tests.steps import add_one, at
from tests.storage import Storage

OLD, OTHER, KEPT = (TaskType(name=TypeName(name)) for name in ("old", "other", "kept"))
DEAD, LIVE, NEW = HandlerId("dead"), HandlerId("live"), HandlerId("new")
FOREVER = at(10**6)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(at(0))


@pytest.fixture
def forget(begin: Begin, clock: ManualClock) -> ForgetTypes:
    """Forgets types that were abandoned for a minute."""
    return ForgetTypes(begin, clock, 60)


@pytest.fixture
def publish(begin: Begin, clock: ManualClock) -> PublishTypes:
    return PublishTypes(begin, clock, CronCalendar())


@pytest.fixture(autouse=True)
def abandoned(publish: PublishTypes, forget: ForgetTypes, clock: ManualClock) -> None:
    """The types of DEAD are abandoned for a minute. The handler LIVE lives."""
    publish(DEAD, [OLD, recurring("other", HOURLY)], at(10))
    publish(LIVE, [KEPT], FOREVER)
    clock.set(at(20))
    assert list(forget()) == []
    clock.set(at(80))


def known(begin: Begin) -> dict[str, bool]:
    with begin() as work:
        return {each.type.name: each.live for each in work.types.all(at(80))}


LOCKS = {
    "the type": ("SELECT FROM task_types WHERE name = 'old' FOR NO KEY UPDATE", ["other"]),
    "the schedule of a type": ("SELECT FROM schedules FOR UPDATE", ["old"]),
    "the handler that had them": ("SELECT FROM handlers WHERE id = 'dead' FOR UPDATE", []),
}


@pytest.mark.parametrize(("statement", "forgotten"), LOCKS.values(), ids=LOCKS)
def test_a_type_is_left_while_its_row_or_one_beside_it_is_locked_and_forgotten_later(
    database: Database, forget: ForgetTypes, statement: str, forgotten: Sequence[str]
):
    with database.engine.begin() as connection:
        connection.exec_driver_sql(statement)
        assert list(forget()) == forgotten
    assert sorted([*forgotten, *forget()]) == ["old", "other"]


def test_a_locked_type_is_reviewed_later(
    begin: Begin, database: Database, forget: ForgetTypes, publish: PublishTypes, clock: ManualClock
):
    publish(DEAD, [OLD, OTHER], at(90))
    clock.set(at(100))
    with database.engine.begin() as connection:
        connection.exec_driver_sql("SELECT FROM task_types WHERE name = 'old' FOR UPDATE")
        forget()
    assert asked(database, "SELECT name FROM task_types WHERE abandoned_at IS NOT NULL") == [("other",)]
    forget()
    assert asked(database, "SELECT count(*) FROM task_types WHERE abandoned_at IS NOT NULL") == [(2,)]


def test_a_type_that_is_being_published_is_not_forgotten(begin: Begin, forget: ForgetTypes):
    with begin() as work:
        assert work.types.publish(NEW, [OLD], FOREVER) == set()
        assert list(forget()) == ["other"]
        work.commit()
    assert list(forget()) == []
    assert known(begin) == {"kept": True, "old": True}


def test_a_type_that_is_being_forgotten_is_published_as_soon_as_that_has_ended(begin: Begin, publish: PublishTypes):
    with begin() as work:
        assert [*work.types.forget_abandoned(at(80), at(20), 10)] == ["old", "other"]
        assert publish(NEW, [OLD, KEPT], FOREVER) == {"old", "other"}, "a deleted schedule is locked, too"
        work.commit()
    assert known(begin) == {"kept": True}
    assert publish(NEW, [OLD, KEPT], FOREVER) == set()
    assert known(begin) == {"kept": True, "old": True}


Beside = Callable[[Begin], None]


def publishes(begin: Begin) -> None:
    """A handler publishes. Its record is written, and its type is left for later."""
    with begin() as work:
        assert work.types.publish(NEW, [OLD], FOREVER) == {"old"}
        work.commit()


def renews(begin: Begin) -> None:
    """A handler comes back to life."""
    with begin() as work:
        assert work.types.renew(DEAD, FOREVER)
        work.commit()


@pytest.mark.parametrize(("beside", "forgotten"), [(publishes, ["other"]), (renews, [])])
def test_a_handler_that_lives_between_the_look_and_the_deletion_keeps_its_type(
    begin: Begin, forget: ForgetTypes, monkeypatch: pytest.MonkeyPatch, beside: Beside, forgotten: Sequence[str]
):
    delete = PostgresPublishedTypes._forget_types

    def delete_later(*args: object) -> Sequence[TypeName]:
        beside(begin)
        return delete(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(PostgresPublishedTypes, "_forget_types", delete_later)
    assert list(forget()) == forgotten
    assert "old" in known(begin)


def test_a_task_that_is_added_between_the_look_and_the_deletion_keeps_its_type(
    storage: Storage, forget: ForgetTypes, monkeypatch: pytest.MonkeyPatch
):
    delete = PostgresPublishedTypes._forget_types

    def delete_later(*args: object) -> Sequence[TypeName]:
        add_one(storage, "old")
        return delete(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(PostgresPublishedTypes, "_forget_types", delete_later)
    assert list(forget()) == ["other"]


def test_types_of_handlers_that_come_and_go_are_never_forgotten_under_them(
    begin: Begin, publish: PublishTypes, clock: ManualClock, background: ThreadPoolExecutor
):
    """Janitors forget what was abandoned for no time at all."""
    rounds, handlers = 30, 3
    done: list[int] = []

    def come_and_go(n: int) -> None:
        mine = TaskType(name=TypeName(f"of {n}"))
        for turn in range(rounds):
            handler = HandlerId(f"{n}-{turn}")
            while publish(handler, [mine], FOREVER):
                pass
            assert known(begin)[mine.name]
            with begin() as work:
                work.types.withdraw(handler)
                work.commit()
        done.append(n)

    def janitor(_: int) -> int:
        forgotten, forget = 0, ForgetTypes(begin, clock, 0)
        while len(done) < handlers:
            forgotten += len(forget())
        return forgotten

    janitors = [background.submit(janitor, n) for n in range(2)]
    comers = [background.submit(come_and_go, n) for n in range(handlers)]
    try:
        for each in comers:
            each.result(60)
    finally:
        done += range(handlers)
    assert sum(each.result(60) for each in janitors) > handlers


BEFORE = {
    "reads the types": """
        SELECT name, EXISTS (SELECT FROM handlers WHERE until > now() AND task_types.name = ANY (types)) AS live,
            every, timezone, CASE WHEN abandoned IS NULL THEN next END AS next
        FROM task_types LEFT JOIN schedules ON type = name ORDER BY name
    """,
    "publishes a type": """
        INSERT INTO task_types (name, description, schema, priority, max_attempts, max_losses, retries_timeout)
        VALUES ('new', '', '{}', 0, 1, 3, true) ON CONFLICT (name) DO UPDATE SET description = excluded.description
    """,
}


@pytest.mark.parametrize("statement", BEFORE.values(), ids=BEFORE)
def test_a_process_of_the_version_before_goes_on(database: Database, statement: str):
    with database.engine.begin() as connection:
        connection.exec_driver_sql(statement)


def test_a_type_that_a_handler_of_the_version_before_has_again_is_not_forgotten(
    begin: Begin, database: Database, forget: ForgetTypes
):
    with database.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO handlers (id, until, types) VALUES ('before', 'infinity', '{old}')")
    assert list(forget()) == ["other"]
    assert asked(database, "SELECT name FROM task_types WHERE abandoned_at IS NOT NULL") == []
    assert known(begin) == {"kept": True, "old": True}
