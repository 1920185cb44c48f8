"""The client over the API: submissions, results, changes and lists."""

import pickle
import re
from contextlib import suppress
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest

from application.ports.monitoring import HandlerInfo, JanitorRecord
from application.ports.queue import ProgressReport
from domain.ids import JanitorId
from domain.instants import after
from domain.limits import Limits
from domain.progress import Progress
from domain.settlement import Outcome, RunningLog
from entrypoints.http.openapi.schemas import ATTEMPT, HANDLER, JANITOR, RUNNING_TASK, SUMMARY, TASK, TASK_STATE, TYPE
from entrypoints.http.requests.queries import SubmitQuery, TaskOptions
from entrypoints.http.routes.items import ITEM
from flask_tasks.client import (
    Attempt,
    Callback,
    Client,
    Conflict,
    Gone,
    Handler,
    Invalid,
    Item,
    Janitor,
    NotFinished,
    NotFound,
    Options,
    Reported,
    Running,
    Schedule,
    SubmitOptions,
    Summary,
    Task,
    TaskFailed,
    TaskState,
    Type,
)
from tests import steps
from tests.unit.client_service import Connected
from tests.unit.http_service import Service, configured


@pytest.fixture
def service() -> Service:
    service = Service()
    service.publish("add", schema='{"type":"object","properties":{"a":{"type":"number"}}}', description="Adds.")
    return service


@pytest.fixture
def client(service: Service) -> Client:
    return Connected(service).client


def members(of: type) -> set[str]:
    return set(of.__dataclass_fields__)  # type: ignore[attr-defined]


def test_the_classes_of_the_client_have_the_fields_of_the_api() -> None:
    assert members(Summary) == {*SUMMARY["properties"]} - {"args", "result"}
    assert members(Task) == {*TASK["properties"]}
    assert members(TaskState) == {*TASK_STATE["properties"]}
    assert members(Attempt) == {*ATTEMPT["properties"]}
    assert members(Type) == {*TYPE["properties"]}
    assert members(Handler) == {*HANDLER["properties"]}
    assert members(Running) == {*RUNNING_TASK["properties"]}
    assert members(Janitor) == {*JANITOR["properties"]}
    assert Options.__annotations__.keys() == TaskOptions().fields.keys()
    assert SubmitOptions.__annotations__.keys() == SubmitQuery().fields.keys() - {"wait", "label"}
    assert Item.__annotations__.keys() == {*ITEM["properties"], "key"} - {"idempotency_key"}
    assert members(Schedule) == {*TYPE["properties"]["schedule"]["properties"]}


class TestSubmit:
    def test_submit_without_a_type_submits_the_default_type(self, service: Service, client: Client) -> None:
        task = client.submit()
        assert (task.id, task.type, task.status, task.args) == (1, "default", "waiting", {})
        assert not task.is_final

    def test_a_task_takes_the_trace_of_the_task_that_submits_it(
        self, service: Service, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        monkeypatch.setenv("TRACEPARENT", trace)
        client.submit()
        monkeypatch.delenv("TRACEPARENT")
        client.submit()
        assert [steps.stored(service.storage, id).task.traceparent for id in (1, 2)] == [trace, None]

    def test_a_task_is_submitted_after_others(self, client: Client) -> None:
        first = client.submit()
        second = client.submit(after=[first], if_failed="run")
        third, fourth = client.submit_many([{"after": ["last", second.id]}, {"ref": "last", "after": [first.id]}])
        assert (second.after, second.waiting_for, second.run_at, second.expire) == ((1,), "tasks", None, None)
        assert (client.view(third).after, client.view(fourth).after, first.after) == ((2, 4), (1,), ())
        with pytest.raises(Invalid):
            client.submit(after=[77])

    def test_labels_are_given_listed_and_found(self, client: Client) -> None:
        labels = {"user": "ana", "run": "7"}
        task = client.submit(labels=labels, args={"labels": {"user": "bob"}})
        (other,) = client.submit_many([{"labels": {"user": "ana"}}])
        assert (task.labels, client.view(other).labels, client.submit().labels) == (labels, {"user": "ana"}, {})
        assert [each.id for each in client.list(labels={"user": "ana"})] == [other, task.id]
        assert [(each.id, each.labels) for each in client.list(labels=labels)] == [(task.id, labels)]

    def test_submit_returns_the_task_that_the_service_shows(self, service: Service, client: Client) -> None:
        task = client.submit("add", {"a": 1, "id": 7, "result": 8})
        shown = service.view()
        assert {name: getattr(task, name) for name in TASK["required"]} == {
            name: shown[name] for name in TASK["required"]
        }
        assert task.args == {"a": 1, "id": 7, "result": 8}

    def test_arguments_may_be_any_mapping(self, client: Client) -> None:
        args = MappingProxyType({"a": 1})
        (id,) = client.submit_many([{"args": args}])
        assert client.submit(args=args).args == client.view(id).args == {"a": 1}

    def test_submit_sends_all_options(self, service: Service, client: Client) -> None:
        moment = datetime(2026, 2, 3, 4, 5, 6, 789000, tzinfo=UTC)
        task = client.submit("add", run_at=moment, priority=-3, max_attempts=4, max_losses=0, timeout=2.5, ttl=60)
        assert (task.run_at, task.priority, task.max_attempts) == (moment.timestamp(), -3, 4)
        assert task.expire == int(moment.timestamp()) + 60
        assert task.waiting_for == "run_at"
        assert client.submit(delay=2.5, priority=None).run_at == service.clock.now().timestamp() + 2.5

    @pytest.mark.parametrize("argument", [None, "other", {"url": "x"}])
    def test_a_callback_is_distinguished_from_an_argument_of_its_name(self, argument: Any) -> None:
        client = Connected(configured(webhook_secret=(b"s" * 24,))).client
        args = {} if argument is None else {"callback": argument}
        assert client.submit("default", args).callback is None
        task = client.submit("default", args, callback="https://example.org/told")
        assert task.callback == Callback(
            url="https://example.org/told", state="waiting", attempts=0, next=None, error=None
        )
        assert task.args == args

    def test_a_datetime_without_a_time_zone_is_refused(self, client: Client) -> None:
        with pytest.raises(ValueError, match="run_at is 2026-02-03T00:00:00: it must have a time zone"):
            client.submit(run_at=datetime(2026, 2, 3))  # noqa: DTZ001

    def test_submissions_with_the_same_key_are_one_task(self, client: Client) -> None:
        assert [client.submit("add", {"a": 1}, key="order 7").id for _ in range(2)] == [1, 1]

    def test_submissions_without_a_key_are_different_tasks(self, client: Client) -> None:
        assert [client.submit("add", {"a": 1}).id for _ in range(2)] == [1, 2]

    def test_a_key_of_another_task_is_invalid(self, client: Client) -> None:
        client.submit("add", {"a": 1}, key="k")
        with pytest.raises(Invalid, match="Idempotency-Key: It belongs to task 1"):
            client.submit("add", {"a": 2}, key="k")

    @pytest.mark.parametrize("key", ["", "x" * 256, "\u00e9", "a\nb", " a", "a "])
    def test_a_key_that_a_header_cannot_hold_is_invalid(self, client: Client, key: str) -> None:
        with pytest.raises(Invalid, match="the idempotency key is not valid"):
            client.submit(key=key)

    def test_invalid_arguments_are_named_by_path(self, client: Client) -> None:
        with pytest.raises(Invalid) as caught:
            client.submit("add", {"a": "one"})
        assert caught.value.code == 422
        assert list(caught.value.errors["json"]) == ["$.a"]
        assert "json $.a: it is not" in str(caught.value)

    def test_unknown_options_and_options_out_of_bounds_are_invalid(self, client: Client) -> None:
        with pytest.raises(Invalid) as caught:
            client.submit(priority=101, haste=1)  # type: ignore[call-arg]
        assert set(caught.value.errors["query"]) == {"priority", "haste"}

    def test_a_body_that_is_too_large_is_invalid(self) -> None:
        with pytest.raises(Invalid) as caught:
            Connected(configured(max_body=1024)).client.submit(args={"a": "x" * 2000})
        assert caught.value.code == 413

    @pytest.mark.parametrize("type", ["nobody", "", ".", "..", "a/b", "ä b?c#d%"])
    def test_an_unpublished_type_is_not_found(self, client: Client, type: str) -> None:
        with pytest.raises(NotFound):
            client.submit(type)
        assert list(client.list()) == []


class TestSubmitMany:
    def test_ids_are_in_the_order_of_the_items(self, client: Client) -> None:
        moment = datetime(2027, 1, 1, tzinfo=UTC)
        ids = client.submit_many(
            [{"args": {"n": 1}}, {"type": "add", "args": {"a": 1}, "priority": 5, "run_at": moment, "ttl": None}]
        )
        first, second = map(client.view, ids)
        assert (first.type, first.args) == ("default", {"n": 1})
        assert (second.type, second.priority, second.run_at) == ("add", 5, moment.timestamp())

    def test_an_item_may_have_a_key(self, client: Client) -> None:
        assert client.submit_many({"key": key} for key in "aba") == [1, 2, 1]

    def test_one_invalid_item_prevents_all(self, client: Client) -> None:
        with pytest.raises(Invalid) as caught:
            client.submit_many([{"args": {}}, {"type": "nobody"}])
        assert list(caught.value.errors["json"]) == ["$.1.type"]
        assert list(client.list()) == []


class TestResult:
    def test_the_result_is_the_value_that_the_function_returned(self, service: Service, client: Client) -> None:
        task = client.submit()
        service.succeed('{"b":[1],"a":null}')
        assert client.result(task) == client.result(task.id) == {"b": [1], "a": None}
        assert client.view(task).is_final

    def test_a_failed_task_raises_task_failed(self, service: Service, client: Client) -> None:
        task = client.submit("add")
        service.fail("add")
        with pytest.raises(TaskFailed) as caught:
            client.result(task)
        error = caught.value.task.error
        assert error
        assert (caught.value.type, caught.value.task.status) == (error.type, "failed")
        assert str(caught.value) == f"task 1 of type add failed with {error.type}: {error.message}"

    def test_a_cancelled_task_raises_task_failed(self, client: Client) -> None:
        task = client.submit("add")
        client.cancel(task)
        with pytest.raises(TaskFailed, match="task 1 of type add was cancelled") as caught:
            client.result(task)
        assert caught.value.type == "Cancelled"

    def test_a_task_cancelled_between_two_attempts_raises_task_failed(self, service: Service, client: Client) -> None:
        task = client.submit(max_attempts=2)
        service.fail()
        assert client.cancel(task).error is not None
        with pytest.raises(TaskFailed, match="task 1 of type default was cancelled") as caught:
            client.result(task)
        assert caught.value.type == "Cancelled"

    def test_an_unfinished_task_raises_a_timeout_error(self, client: Client) -> None:
        task = client.submit("add")
        with pytest.raises(TimeoutError, match="task 1 of type add is still waiting") as caught:
            client.result(task, 0)
        assert isinstance(caught.value, NotFinished)
        assert caught.value.task == task

    def test_run_submits_and_waits(self, client: Client) -> None:
        with pytest.raises(NotFinished):
            client.run("add", {"a": 1}, key="k", seconds=0, priority=3)
        assert client.submit("add", {"a": 1}, key="k").priority == 3


class TestChanges:
    def test_cancel_of_a_cancelled_task_succeeds_and_of_a_done_task_conflicts(
        self, service: Service, client: Client
    ) -> None:
        task = client.submit()
        assert [client.cancel(each).status for each in (task, task.id)] == ["cancelled"] * 2
        done = client.submit()
        service.succeed("1")
        with pytest.raises(Conflict) as caught:
            client.cancel(done)
        assert (caught.value.code, "done" in str(caught.value)) == (409, True)

    def test_a_retried_task_waits_again(self, service: Service, client: Client) -> None:
        task = client.submit()
        with pytest.raises(Conflict):
            client.retry(task)
        service.fail()
        again = client.retry(task)
        assert (again.status, again.max_attempts) == ("waiting", 2)

    def test_a_deleted_task_is_not_found(self, client: Client) -> None:
        client.delete(client.submit())
        for look in (client.view, client.log, client.cancel, client.retry, client.delete, client.result):
            with pytest.raises(NotFound, match="task id 1 is not registered"):
                look(1)
        with pytest.raises(NotFound):
            next(client.events(1))

    def test_a_task_that_the_service_has_shown_is_gone_once_it_is_deleted(self, client: Client) -> None:
        task = client.submit()
        client.delete(task)
        assert task.expire is not None
        end = datetime.fromtimestamp(task.expire, UTC).isoformat()
        for look in (client.view, client.log, client.cancel, client.retry, client.delete, client.wait):
            with pytest.raises(
                Gone, match=f"task 1 of type default was deleted.* its time, {re.escape(end)}"
            ) as caught:
                look(task)
            assert (caught.value.task, caught.value.code) == (task, 404)
        with pytest.raises(Gone):
            next(client.events(task))
        with pytest.raises(NotFound) as of_an_id:
            client.view(1)
        assert not isinstance(of_an_id.value, Gone)

    def test_a_task_that_is_deleted_while_its_result_is_awaited_is_gone(self) -> None:
        connected = Connected(configured(http_waiters=0))
        connected.pauses.then = lambda: connected.service.client.delete("/task/1")
        with pytest.raises(Gone, match="default"):
            connected.client.run(delay=5)

    def test_a_running_task_cannot_be_deleted(self, service: Service, client: Client) -> None:
        client.submit()
        service.claim()
        with pytest.raises(Conflict):
            client.delete(1)


def test_the_log_has_each_start_that_failed(service: Service, client: Client) -> None:
    client.submit()
    assert client.log(1) == []
    service.fail()
    (attempt,) = client.log(1)
    assert (attempt.claim, attempt.attempt, attempt.outcome) == (1, 1, Outcome.FAILED)
    assert attempt.ended == service.clock.now().timestamp()


def test_the_log_has_a_running_start_that_has_printed(service: Service, client: Client) -> None:
    client.submit()
    running = service.claim()
    service.storage.autocommit.report_logs([RunningLog.of(running, service.clock.now(), "so far")])
    (attempt,) = client.log(1)
    assert (attempt.outcome, attempt.ended, attempt.log) == (Outcome.RUNNING, None, "so far")


def test_types_are_returned_by_name(client: Client) -> None:
    types = client.types()
    assert set(types) == {"default", "add"}
    add = types["add"]
    assert (add.description, add.live, add.abandoned, add.schedule) == ("Adds.", True, False, None)
    assert add.schema["properties"] == {"a": {"type": "number"}}
    assert add.defaults["max_attempts"] == 1


def test_types_have_the_oldest_due_task(service: Service, client: Client) -> None:
    assert client.types()["add"].oldest_due is None
    client.submit("add", {"a": 1}, delay=1)
    service.clock.move(1)
    assert client.types()["add"].oldest_due == service.clock.now().timestamp()


def test_types_have_the_schema_of_their_results_if_there_is_one(service: Service, client: Client) -> None:
    assert client.types()["add"].result is None
    service.publish("add", result='{"type":"null"}')
    assert client.types()["add"].result == {"type": "null"}


def test_types_have_their_limits(service: Service, client: Client) -> None:
    assert client.types()["add"].limits is None
    service.publish("add", limits=Limits(at_once=4))
    limits = client.types()["add"].limits
    assert limits is not None
    assert (limits["at_once"], limits["override"]) == (4, None)


def test_a_type_of_a_service_that_tells_no_limits_has_none(service: Service) -> None:
    (default, _) = service.client.get("/types").get_json()["types"]
    del default["limits"]
    assert Type.of(default).limits is None


def test_handlers_are_returned_with_what_they_run(service: Service, client: Client) -> None:
    client.submit("add", {"a": 1})
    task = service.claim("add")
    now = service.clock.now()
    half = Progress(0.5, "reading")
    steps.report(service.storage, ProgressReport(task.hold, now, half))
    with service.store.begin() as work:
        info = HandlerInfo(host="host", pid=7, started=now, concurrency=2)
        work.types.publish(steps.HANDLER, [], after(now, 30), lease=30, info=info)
        work.commit()
    other, mine = client.handlers()
    assert (mine.id, mine.state, mine.host, mine.pid) == (steps.HANDLER, "live", "host", 7)
    assert (mine.concurrency, mine.idle, mine.types) == (2, 1, [])
    assert (mine.started, mine.last_seen) == (now.timestamp(), now.timestamp())
    reading = Reported(value=0.5, message="reading")
    assert mine.running == [Running(id=1, type="add", started=now.timestamp(), progress=reading)]
    assert (mine.running_count, mine.claimed_count) == (1, 0)
    assert (other.id, other.concurrency, other.types, other.running) == ("handler of add", None, ["add"], [])


def test_janitors_are_returned_with_their_last_signs_of_life(service: Service, client: Client) -> None:
    now = service.clock.now()
    with service.store.begin() as work:
        work.monitoring.renew_janitor(
            JanitorRecord(id=JanitorId("one"), host="host", pid=8, started=now, last_seen=now)
        )
        work.commit()
    then = now.timestamp()
    assert client.janitors() == [Janitor(id="one", state="live", host="host", pid=8, started=then, last_seen=then)]


class TestList:
    def test_list_yields_all_tasks_newest_first_page_by_page(self, service: Service) -> None:
        connected = Connected(service)
        connected.client.submit_many([{}] * 5)
        tasks = connected.client.list(limit=2)
        assert [next(tasks).id for _ in range(2)] == [5, 4]
        assert connected.sent()[1:] == [("GET", "/tasks")]
        assert [task.id for task in tasks] == [3, 2, 1]

    def test_list_filters_by_status_and_type(self, service: Service, client: Client) -> None:
        client.submit_many([{}, {"type": "add"}, {"type": "add"}])
        client.cancel(3)
        assert [task.id for task in client.list(type="add", status="cancelled")] == [3]
        assert [task.id for task in client.list(type="add")] == [3, 2]

    def test_listed_tasks_have_no_arguments_and_results(self, client: Client) -> None:
        task = client.submit(args={"a": 1})
        (summary,) = client.list()
        assert type(summary) is Summary
        assert all(getattr(summary, name) == getattr(task, name) for name in members(Summary))

    def test_an_unknown_status_is_invalid(self, client: Client) -> None:
        with pytest.raises(Invalid, match="query status"):
            next(client.list(status="lost"))  # type: ignore[arg-type]

    def test_time_and_argument_filters_are_sent_in_the_form_of_the_api(self, service: Service) -> None:
        connected = Connected(service)
        wanted: Any = {"to": {"city": "Köln", "zip": 5}, "fast": True, "none": None, "n": 0.1}
        after = datetime(2026, 1, 2, tzinfo=UTC)
        with suppress(Invalid):
            list(connected.client.list(created_after=after, created_before=2e9, args=wanted))
        assert dict(connected.line.requests[0].url.params) == {
            "args.to.city": "Köln",
            "args.to.zip": "5",
            "args.fast": "true",
            "args.none": "null",
            "args.n": "0.1",
            "created_after": str(after.timestamp()),
            "created_before": "2000000000.0",
        }


def test_errors_can_be_pickled(service: Service, client: Client) -> None:
    client.submit("add")
    for error in (
        Invalid("no", 422, {"a": ["b"]}),
        NotFinished(client.view(1)),
        Gone(client.view(1)),
        TaskFailed(client.cancel(1)),
    ):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
