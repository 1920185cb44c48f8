"""Keys on a real database: one task each, however many ask at once, and with a janitor that deletes beside them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Event
from typing import Any

import pytest

from adapters.json_schema import SchemaChecker
from adapters.memory import MemoryWakeUp
from adapters.postgres import Database, PostgresAutocommitStore, PostgresClock, PostgresPendingWork
from application.errors import BatchKeyTaken
from application.known_types import KnownTypes
from application.ports.unit_of_work import Begin
from application.submissions import SubmissionBuilder, TaskRequest
from application.use_cases.clean import Clean
from application.use_cases.submit_task import SubmitTask, Submitted
from application.use_cases.submit_tasks import SubmitTasks
from application.use_cases.unblock_tasks import UnblockTasks
from application.view import Viewer
from domain.ids import DEFAULT_TYPE, IdempotencyKey
from domain.instants import after
from tests.concurrency import asked, until_waiting
from tests.integration.test_postgres_many import together
from tests.steps import submission

FIFTY = 50


class TwoSecondsLater(PostgresClock):
    """When a task with a `ttl` of a second has expired."""

    def now(self) -> datetime:
        return after(super().now(), 2)


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(FIFTY + 2) as pool:
        yield pool


class Submitting:
    """The use cases of submitting, as the API has them."""

    def __init__(self, begin: Begin, database: Database) -> None:
        self.clock = PostgresClock(database)
        types = KnownTypes(begin, self.clock)
        intake = SubmissionBuilder(begin, self.clock, types, SchemaChecker(), max_task_time=600, callbacks_enabled=True)
        unblock = UnblockTasks(begin, PostgresPendingWork(database), self.clock, MemoryWakeUp())
        self.many = SubmitTasks(begin, intake, MemoryWakeUp(), unblock)
        self.one = SubmitTask(
            begin, PostgresAutocommitStore(database), intake, MemoryWakeUp(), Viewer(types, self.clock), unblock
        )
        types.all()


@pytest.fixture
def submitting(begin: Begin, database: Database) -> Submitting:
    return Submitting(begin, database)


def request(key: str, number: int = 1, **asked: Any) -> TaskRequest:
    return TaskRequest(type=DEFAULT_TYPE, args={"n": number}, key=IdempotencyKey(key), **asked)


def test_fifty_requests_at_once_with_one_key_have_one_task(
    submitting: Submitting, database: Database, background: ThreadPoolExecutor
):
    def submit_fifty_times(key: str) -> list[Submitted]:
        return together(background, lambda _: submitting.one(request(key)), FIFTY)

    for key in ("a", "b", "c"):
        answers = submit_fifty_times(key)
        assert len({each.view.task.id for each in answers}) == 1
        assert [each.is_new for each in answers].count(True) == 1
    assert asked(database, "SELECT key, count(*) FROM tasks GROUP BY key ORDER BY key") == [
        ("a", 1),
        ("b", 1),
        ("c", 1),
    ]


def test_requests_with_one_key_have_one_task_while_a_janitor_deletes_those_that_they_find(
    begin: Begin, submitting: Submitting, database: Database, background: ThreadPoolExecutor
):
    """The tasks are deleted as soon as they are there. A later request gets a new task, and never an error."""
    done = Event()

    def delete() -> int:
        deleted = 0
        clean = Clean(begin, PostgresPendingWork(database), TwoSecondsLater(database))
        while not done.is_set():
            deleted += clean().deleted
        return deleted

    janitor = background.submit(delete)
    answers: list[Submitted] = []
    try:
        for _ in range(10):
            answers += together(background, lambda _: submitting.one(request("a", ttl=1)), FIFTY)
    finally:
        done.set()
    new = [each.view.task.id for each in answers if each.is_new]
    assert len(new) == len(set(new))
    assert {each.view.task.id for each in answers} == set(new)
    assert janitor.result() + len(asked(database, "SELECT FROM tasks")) == len(new)
    assert len(new) > 1


def test_batches_with_the_same_keys_in_another_order_wait_for_each_other_and_never_in_a_circle(
    begin: Begin, database: Database, background: ThreadPoolExecutor
):
    keys = "abcde"

    def add(order: str) -> int:
        """Return the number of new tasks. Raises StorageConflict: two batches had the same key."""
        with begin() as work:
            added = work.tasks.add([submission(key=key) for key in order])
            work.commit()
        return sum(task is not None for task in added)

    with begin() as in_the_middle:
        in_the_middle.tasks.add([submission(key="c")])
        one = background.submit(add, keys)
        until_waiting(database, 1)
        other = background.submit(add, keys[::-1])
        until_waiting(database, 2)
    assert (one.result(), other.result()) == (5, 0)


def test_many_tasks_are_stored_whole_where_a_transaction_holds_the_key_of_one_for_long(
    submitting: Submitting, begin: Begin, database: Database, background: ThreadPoolExecutor
):
    requests = [
        TaskRequest(type=DEFAULT_TYPE, args={"n": n}, key=IdempotencyKey("k") if n == 4900 else None)
        for n in range(5000)
    ]
    with begin() as undecided:
        assert undecided.tasks.add([submission(key="k")])
        ids = background.submit(submitting.many, requests)
        until_waiting(database)
        until_waiting(database, 0)
    expected = [(id, f'{{"n":{n}}}') for n, id in enumerate(ids.result().ids)]
    assert asked(database, "SELECT id, args FROM tasks ORDER BY id") == expected


def test_thirty_batches_at_once_with_one_key_have_one_set_of_tasks(
    submitting: Submitting, database: Database, background: ThreadPoolExecutor
):
    def batch(number: int) -> list[TaskRequest]:
        own_key = IdempotencyKey("own") if number == 5 else None
        return [TaskRequest(type=DEFAULT_TYPE, args={"n": n}, key=own_key if n == 2 else None) for n in range(number)]

    answers = together(background, lambda _: submitting.many(batch(5), IdempotencyKey("batch")), 30)
    assert [each.has_new for each in answers].count(True) == 1
    assert {tuple(each.ids) for each in answers} == {
        tuple(row[0] for row in asked(database, "SELECT id FROM tasks ORDER BY id"))
    }
    for other in (batch(4), batch(6)):
        with pytest.raises(BatchKeyTaken):
            submitting.many(other, IdempotencyKey("batch"))
    assert len(asked(database, "SELECT FROM tasks")) == 5
