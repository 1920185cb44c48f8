"""Filling results into arguments: each is read once, within bounds, and what is missing is named."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from adapters.memory import MemoryStore
from application.json.text import dump
from application.ports.autocommit import StoredResult
from application.supervisor import argument_filler
from application.supervisor.argument_filler import ArgumentFiller
from application.supervisor.claimed_tasks import ClaimedTask
from application.supervisor.result_cache import ResultCache
from domain.failure import Failure
from domain.ids import Claim, HandlerId, Hold, TaskId
from domain.task import Task
from tests.steps import NOW, add_one, at, claim_one, fail, succeed
from tests.storage import in_memory


@dataclass
class Reading:
    """A storage that notes the tasks whose results each statement reads."""

    storage: Any = field(default_factory=lambda: in_memory(MemoryStore()))
    statements: list[list[int]] = field(default_factory=list)

    def results(self, known: Mapping[TaskId, datetime | None], max_bytes: int) -> Mapping[TaskId, StoredResult]:
        read: Mapping[TaskId, StoredResult] = self.storage.autocommit.results(known, max_bytes)
        self.statements.append([id for id, each in read.items() if each.text is not None])
        return read

    def done(self, result: str, now: datetime = NOW) -> Task:
        add_one(self.storage)
        task = claim_one(self.storage, now=at(1_000))
        succeed(self.storage, task, now, result)
        return task


@pytest.fixture
def reading() -> Reading:
    return Reading()


@pytest.fixture
def fill(reading: Reading) -> ArgumentFiller:
    return ArgumentFiller(reading)  # type: ignore[arg-type]


def tasks(*args: dict[str, Any]) -> list[ClaimedTask]:
    """Make claimed tasks with these arguments, whose ids are their indexes."""
    return [
        ClaimedTask(Hold(TaskId(n), Claim(1), HandlerId("me")), None, dump(each), 0)  # type: ignore[arg-type]
        for n, each in enumerate(args)
    ]


def of(task: Task, path: str = "$") -> dict[str, Any]:
    return {"$result": task.id, "path": path}


def filled_by(fill: ArgumentFiller, *args: dict[str, Any]) -> list[str | Failure | None]:
    claimed = tasks(*args)
    answer = fill(claimed)
    return [answer.args.get(each.hold) or answer.failures.get(each.hold) for each in claimed]


def failed_by(fill: ArgumentFiller, args: dict[str, Any]) -> Failure:
    (failure,) = filled_by(fill, args)
    assert isinstance(failure, Failure)
    assert not failure.retriable
    return failure


def test_one_statement_reads_the_results_of_all_tasks_and_none_reads_one_again(reading: Reading, fill: ArgumentFiller):
    first, second = reading.done('{"x": [1, 2.50]}'), reading.done('"é"')
    texts = filled_by(fill, {"a": of(first, "$.x")}, {"a": [of(second), of(first, "$.x[1]")]}, {"b": of(first, "$.x")})
    assert texts == ['{"a":[1, 2.50]}', '{"a":["é",2.50]}', '{"b":[1, 2.50]}']
    assert filled_by(fill, {"a": of(second)}) == ['{"a":"é"}']
    assert reading.statements == [[first.id, second.id], []]
    assert filled_by(fill, {"a": of(first)}) == ['{"a":{"x": [1, 2.50]}}']
    assert reading.statements[2:] == [[first.id]]


def test_a_result_of_another_end_is_read_anew(reading: Reading, fill: ArgumentFiller):
    """As after a failover that lost the first task, whose id another one was given."""
    parent = reading.done("1")
    assert filled_by(fill, {"a": of(parent)}) == ['{"a":1}']
    with reading.storage.begin() as work:
        work.state.rows.clear()
        work.state.last_id = 0
        work.commit()
    assert reading.done("2", at(5)).id == parent.id
    assert filled_by(fill, {"a": of(parent)}) == ['{"a":2}']


def test_a_missing_result_is_named_with_its_path_and_its_place(reading: Reading, fill: ArgumentFiller):
    parent, failed, waiting = reading.done('{"x": 1}'), add_one(reading.storage), None
    fail(reading.storage, claim_one(reading.storage))
    waiting = add_one(reading.storage)
    whys = {
        (parent.id, "$.y"): "has a result without such a place",
        (failed.id, "$.x"): "has failed",
        (waiting.id, "$"): "has not run yet",
        (77, "$"): "was deleted or has expired",
    }
    for (id, path), why in whys.items():
        failure = failed_by(fill, {"n": 1, "a": [of(parent), {"b": {"$result": id, "path": path}}]})
        assert failure.type == "MissingResult"
        assert failure.message == f"the argument $.a.1.b refers to {path} of task {id}, which {why}"


def test_one_missing_result_fails_its_task_alone(reading: Reading, fill: ArgumentFiller):
    parent = reading.done("1")
    first, second, third = filled_by(fill, {"a": of(parent)}, {"a": {"$result": 77}}, {"b": of(parent)})
    assert (first, third) == ('{"a":1}', '{"b":1}')
    assert isinstance(second, Failure)


def test_arguments_that_an_administrator_has_spoilt_fail_their_task_alone(reading: Reading, fill: ArgumentFiller):
    claimed = tasks({}, {"a": of(reading.done("1"))}, {}, {})
    spoilt = ('{"a":{"$result":1,"path":"\\x"}}', '{"a":{"$result":"b"}}', f'{{"a":{{"$result":{10**30}}}}}')
    for each, text in zip((claimed[0], *claimed[2:]), spoilt, strict=True):
        each.args = text
    answer = fill(claimed)
    assert [answer.args.get(each.hold) for each in claimed] == [None, '{"a":1}', *spoilt[1:]]
    assert answer.failures[claimed[0].hold].message.startswith("its arguments cannot be filled")


def test_results_beyond_the_bound_of_a_statement_are_read_by_others(
    reading: Reading, fill: ArgumentFiller, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(argument_filler, "MAX_READ_BYTES", 8)
    parents = [reading.done(f"{n}{n}{n}") for n in range(1, 6)]
    assert filled_by(fill, {"a": [*map(of, parents)]}) == ['{"a":[111,222,333,444,555]}']
    ids = [each.id for each in parents]
    assert reading.statements == [ids[:2], ids[2:4], ids[4:]]


def test_a_cache_without_room_makes_reading_slower_and_not_wrong(reading: Reading):
    fill = ArgumentFiller(reading, ResultCache(max_bytes=1))  # type: ignore[arg-type]
    first, second = reading.done('{"x":1,"y":2}'), reading.done("3")
    args = {"a": [of(first, "$.x"), of(second), of(first, "$.y"), of(first)]}
    assert filled_by(fill, args, args) == ['{"a":[1,3,2,{"x":1,"y":2}]}'] * 2


def test_arguments_of_more_than_the_bound_fail_their_task(
    reading: Reading, fill: ArgumentFiller, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(argument_filler, "MAX_FILLED_BYTES", 2**20)
    parent = reading.done(f'"{"é" * 2**18}"')
    failure = failed_by(fill, {"a": [of(parent), of(parent)]})
    assert failure.type == "TooLarge"
    assert failure.message == "with the results to which they refer, the arguments have more than 1 MiB"


def test_arguments_that_would_be_nested_too_deep_fail_their_task(reading: Reading, fill: ArgumentFiller):
    parent = reading.done("[" * 199 + "]" * 199)
    assert isinstance(filled_by(fill, {"a": of(parent)})[0], str)
    failure = failed_by(fill, {"a": [of(parent)]})
    assert failure.message.endswith("nested more than 200 deep")


def test_tasks_beyond_the_bound_of_all_together_are_filled_later(
    reading: Reading, fill: ArgumentFiller, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(argument_filler, "MAX_FILLED_BYTES", 30)
    parent = reading.done('"01234567"')
    args = {"a": of(parent)}
    assert filled_by(fill, args, args, args, args)[1:] == ['{"a":"01234567"}', None, None]


class TestCache:
    def test_the_least_recently_used_texts_are_dropped(self):
        cache = ResultCache(max_bytes=250)
        a, b, c = map(TaskId, (1, 2, 3))
        for id in (a, b):
            cache.put(id, "$", NOW, "x" * 50)
        assert cache.get(a, "$", NOW) == ("x" * 50,)
        cache.put(c, "$", NOW, "y" * 50)
        assert [cache.get(id, "$", NOW) is not None for id in (a, b, c)] == [True, False, True]
        cache.put(b, "$", NOW, "z" * 1_000)
        assert [cache.get(id, "$", NOW) is not None for id in (a, b, c)] == [False, True, False]

    def test_a_task_is_known_by_the_end_of_all_of_its_texts(self):
        cache, id = ResultCache(), TaskId(1)
        cache.put(id, "$.a", NOW, "1")
        assert cache.end_of(id, ["$.a"]) == NOW
        assert cache.end_of(id, ["$.a", "$.b"]) is None
        cache.put(id, "$.b", at(1), None)
        assert cache.end_of(id, ["$.a", "$.b"]) is None
        cache.put(id, "$.a", at(1), "2")
        assert cache.end_of(id, ["$.a", "$.b"]) == at(1)
        assert cache.get(id, "$.a", NOW) is None
        assert cache.get(id, "$.b", at(1)) == (None,)
