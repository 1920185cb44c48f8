"""`GET /events`: the changes of many tasks over one connection."""

import json
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import pytest
from werkzeug.test import TestResponse

from adapters.clocks import ManualClock
from adapters.memory import MemoryAutocommitStore
from application import change_feed
from application.ports import listing
from application.ports.listing import Filter
from application.ports.queue import ProgressReport
from application.ports.task_repository import LARGE_BYTES, TaskRecord, Version
from application.ports.wake_up import Topic
from application.use_cases import follow_tasks
from application.use_cases.follow_tasks import FollowTasks
from domain.ids import BatchId, TaskId
from domain.progress import Progress
from domain.settlement import RunningLog
from domain.task import Task
from entrypoints.http.responses.shown_states import ShownStates
from entrypoints.http.routes import events_of_many
from tests import steps
from tests.concurrency import until
from tests.unit.http_service import Service, configured


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr(change_feed, "SUMMARY_GAPS", {"seconds": 0.001, "per_poll": 0})
    service = Service()
    yield service
    service.change_feed.close()


class Events:
    """The events of one stream, read as they come."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.digest = ""
        self.chunks = answer.iter_encoded()
        assert next(self.chunks) == b"retry: 1000\n\n"

    def next(self) -> dict[int, Any]:
        """The data of the events of the next chunk, by id; None for a deleted task."""
        return self._read(next(self.chunks))

    def until(self, id: int, status: str, looks: ManualClock | None = None) -> list[Any]:
        """The states of a task up to this one, which comes before many heartbeats.

        `looks`: the clock, which is moved on to the next look for tasks before each heartbeat.
        """
        states: list[Any] = []
        for _ in range(200):
            if looks:
                looks.move(2)
            states += [state for task, state in self.next().items() if task == id]
            if states and states[-1]["status"] == status:
                return states
        raise AssertionError(f"task {id} is not {status}")

    def rest(self) -> dict[int, Any]:
        """The last state of each task until the stream ends."""
        return {id: state for chunk in self.chunks for id, state in self._read(chunk).items()}

    def _read(self, chunk: bytes) -> dict[int, Any]:
        found: dict[int, Any] = {}
        for event in chunk.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in event.split("\n") if line not in ("", ":"))
            self.digest = fields.get("id", self.digest)
            if "data" in fields:
                data = json.loads(fields["data"])
                found[data["id"]] = None if fields.get("event") == "deleted" else data
        return found


def follow(service: Service, query: str = "", last: str | None = None) -> TestResponse:
    headers = {} if last is None else {"Last-Event-ID": last}
    return service.client.get(f"/events?{query}", headers=headers, buffered=False)


def report(service: Service, running: Task, share: float) -> None:
    with service._one_transaction() as storage:
        steps.report(storage, ProgressReport(running.hold, service.clock.now(), Progress(share)))
    service.wake_up.notify(Topic.CHANGED)


def finish(service: Service) -> None:
    service.succeed("[1]")
    service.wake_up.notify(Topic.CHANGED)


def submit(service: Service, number: int) -> None:
    for n in range(number):
        service.submit({"n": n})


class TestStates:
    def test_events_show_each_task_now_and_after_its_changes_until_all_have_finished(self, service: Service) -> None:
        submit(service, 2)
        with follow(service, "ids=1,2") as answer:
            assert (answer.status_code, answer.content_type) == (200, "text/event-stream")
            assert answer.headers["Cache-Control"] == "no-store"
            events = Events(answer)
            waiting = {"status": "waiting", "progress": None, "attempt": 0}
            assert events.next() == {1: {"id": 1, **waiting}, 2: {"id": 2, **waiting}}
            running = service.claim()
            report(service, running, 0.5)
            assert events.until(1, "running")[-1]["progress"] == {"value": 0.5, "message": ""}
            service.clock.move(1)
            steps.succeed(service.storage, running, service.clock.now())
            service.wake_up.notify(Topic.CHANGED)
            last = events.until(1, "done")[-1]
            assert last["finished"] == service.view(1)["finished"]
            assert last["error_type"] is None
            service.fail()
            service.wake_up.notify(Topic.CHANGED)
            assert events.rest()[2]["error_type"] == "ValueError"
        assert not service.change_feed.subscribers

    def test_events_of_progress_are_small_however_large_the_arguments_are(self, service: Service) -> None:
        service.submit({"a": "x" * 900_000})
        running = service.claim()
        with follow(service, "ids=1") as answer:
            events = Events(answer)
            events.next()
            sizes = []
            for step in range(10):
                report(service, running, (step + 1) / 10)
                sizes.append(len(next(events.chunks)))
            assert max(sizes) < 200

    def test_no_arguments_and_no_query_of_its_own_are_read_for_a_task(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        submit(service, 50)
        asked: list[int] = []
        changed = MemoryAutocommitStore.changed

        def counting(
            store: MemoryAutocommitStore, known: Mapping[TaskId, Version]
        ) -> Mapping[TaskId, TaskRecord | None]:
            asked.append(len(known))
            return changed(store, known)

        monkeypatch.setattr(MemoryAutocommitStore, "changed", counting)
        monkeypatch.setattr(MemoryAutocommitStore, "get_many", None)
        monkeypatch.setattr(MemoryAutocommitStore, "versions", None)
        with follow(service) as answer:
            events = Events(answer)
            assert len(events.next()) == 50
            for _ in range(50):
                service.succeed("1")
            service.wake_up.notify(Topic.CHANGED)
            assert [state["status"] for state in events.rest().values()] == ["done"] * 50
        assert asked[0] == 50
        assert len(asked) < 10

    def test_a_change_that_is_not_visible_is_a_heartbeat(self, service: Service) -> None:
        service.submit({})
        running = service.claim()
        with follow(service, "ids=1") as answer:
            events = Events(answer)
            events.next()
            before = events.digest
            service.storage.autocommit.report_logs([RunningLog.of(running, service.clock.now(), "so far")])
            service.wake_up.notify(Topic.CHANGED)
            assert events.next() == {}
            assert events.digest != before

    def test_a_stream_without_changes_has_heartbeats(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(follow_tasks, "HEARTBEAT_SECONDS", 0.001)
        service.submit({})
        with follow(service, "ids=1") as answer:
            events = Events(answer)
            events.next()
            assert [events.next() for _ in range(3)] == [{}] * 3

    def test_many_states_come_in_pieces_of_which_the_last_has_the_digest(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(events_of_many, "PIECE_CHARACTERS", 200)
        submit(service, 15)
        with follow(service) as answer:
            events, digests, found = Events(answer), [], 0
            while found < 15:
                found += len(events.next())
                digests.append(events.digest)
        assert len(digests) > 1
        assert [bool(each) for each in digests] == [False] * (len(digests) - 1) + [True]


class TestWholeTasks:
    def test_with_include_each_event_has_the_whole_task(self, service: Service) -> None:
        service.submit({"a": "\n\u2028"})
        service.submit({"a": "x" * LARGE_BYTES})
        with follow(service, "include=task") as answer:
            events = Events(answer)
            first = events.next()
            while len(first) < 2:
                first |= events.next()
            assert first == {1: service.view(1), 2: service.view(2)}
            finish(service)
            assert events.until(1, "done")[-1] == service.view(1)

    def test_include_takes_nothing_else(self, service: Service) -> None:
        answer = follow(service, "include=result")
        assert (answer.status_code, list(answer.get_json()["errors"]["query"])) == (422, ["include"])


class TestSets:
    def test_the_tasks_are_those_that_the_filter_matches(self, service: Service) -> None:
        submit(service, 4)
        finish(service)
        with follow(service, "args.n=2") as answer:
            assert Events(answer).next().keys() == {3}
        with follow(service, "status=done") as answer:
            assert Events(answer).rest().keys() == {1}
        with follow(service, "ids=1,2&status=waiting") as answer:
            assert Events(answer).next().keys() == {2}
        labelled = [{"labels": {"user": "ana"}}] * 2
        batch = service.client.post("/batches", json={"tasks": labelled}).get_json()
        for query in (f"batch={batch['id']}", "label.user=ana"):
            with follow(service, query) as answer:
                assert Events(answer).next().keys() == {*batch["ids"]}

    def test_a_task_that_matched_once_is_followed_until_it_has_finished(self, service: Service) -> None:
        submit(service, 1)
        with follow(service, "status=waiting") as answer:
            events = Events(answer)
            events.next()
            finish(service)
            assert events.rest()[1]["status"] == "done"

    def test_tasks_that_begin_to_match_join_the_stream(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(follow_tasks, "LOOK_SECONDS", 0.05)
        submit(service, 1)
        with follow(service, "args.n=0") as answer:
            events = Events(answer)
            events.next()
            submit(service, 2)
            service.clock.move(2)
            service.wake_up.notify(Topic.CHANGED)
            assert events.until(2, "waiting")
            for _ in range(3):
                finish(service)
            assert events.rest().keys() == {1, 2}

    def test_a_stream_looks_for_new_tasks_before_it_ends(self, service: Service) -> None:
        submit(service, 1)
        with follow(service) as answer:
            events = Events(answer)
            events.next()
            submit(service, 1)
            finish(service)
            assert events.until(1, "done")
            assert events.until(2, "waiting")
            finish(service)
            assert events.rest().keys() == {2}

    def test_tasks_do_not_join_a_stream_of_ids(self, service: Service) -> None:
        submit(service, 1)
        with follow(service, "ids=1") as answer:
            events = Events(answer)
            events.next()
            submit(service, 1)
            service.clock.move(2)
            finish(service)
            assert events.rest().keys() == {1}

    def test_more_tasks_than_a_stream_follows_are_422(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(follow_tasks, "MAX_TASKS", 3)
        submit(service, 4)
        answer = follow(service)
        message = "more than 3 tasks that have not finished match: narrow the filter"
        assert (answer.status_code, answer.get_json()["message"]) == (422, message)

    def test_tasks_beyond_one_step_of_the_search_are_followed_or_refused(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(listing, "MAX_LOOKED_TASKS", 2)
        monkeypatch.setattr(follow_tasks, "MAX_TASKS", 5)
        submit(service, 5)
        with follow(service) as answer:
            assert Events(answer).next().keys() == {1, 2, 3, 4, 5}
        submit(service, 1)
        assert follow(service).status_code == 422

    def test_an_older_task_that_begins_to_match_joins_the_stream(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(follow_tasks, "LOOK_SECONDS", 0.05)
        monkeypatch.setattr(follow_tasks, "LOOK_TASKS", 2)
        monkeypatch.setattr(follow_tasks, "WALK_TASKS", 2)
        submit(service, 1)
        service.fail()
        submit(service, 4)
        with follow(service, "status=waiting") as answer:
            events = Events(answer)
            assert events.next().keys() == {2, 3, 4, 5}
            service.client.post("/task/1/retry")
            assert events.until(1, "waiting", service.clock)

    def test_a_task_that_goes_on_after_a_retry_joins_the_stream_again(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(follow_tasks, "LOOK_SECONDS", 0.05)
        submit(service, 2)
        with follow(service) as answer:
            events = Events(answer)
            events.next()
            service.client.post("/task/1/cancel")
            assert events.until(1, "cancelled")
            service.client.post("/task/1/retry")
            assert events.until(1, "waiting", service.clock)

    def test_finished_tasks_beyond_one_step_of_the_search_are_shown(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(listing, "MAX_LOOKED_TASKS", 2)
        assert service.client.post("/task/new?label.user=ana", json={}).status_code == 201
        submit(service, 4)
        for _ in range(5):
            finish(service)
        assert Events(follow(service, "label.user=ana")).rest().keys() == {1}

    def test_the_newest_finished_tasks_are_shown_beside_all_others(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(follow_tasks, "MAX_TASKS", 3)
        submit(service, 5)
        for _ in range(4):
            finish(service)
        with follow(service) as answer:
            events = Events(answer)
            assert events.next().keys() == {3, 4, 5}
            finish(service)
            assert events.rest().keys() == {5}

    def test_a_stream_ends_when_too_many_have_begun_to_match(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(follow_tasks, "LOOK_SECONDS", 0.05)
        submit(service, 1)
        with follow(service) as answer:
            events = Events(answer)
            events.next()
            monkeypatch.setattr(follow_tasks, "MAX_TASKS", 3)
            submit(service, 3)
            service.clock.move(2)
            assert events.rest() == {}

    def test_a_follower_of_very_many_tasks_forgets_the_oldest(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(follow_tasks, "MAX_TASKS", 3)
        monkeypatch.setattr(follow_tasks, "LOOK_TASKS", 2)
        submit(service, 1)
        follower = service.container.follow_tasks()(Filter())
        assert follower._arrivals
        arrived: list[TaskId] = []
        for _ in range(10):
            submit(service, 2)
            arrived += sorted(follower._arrivals.found(followed={TaskId(1), *arrived}))
            assert len(follower._arrivals._known) <= 6
        assert arrived == list(range(2, 22))
        follower.close()

    def test_a_stream_of_an_open_batch_goes_on_until_it_is_closed(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(follow_tasks, "LOOK_SECONDS", 0.05)
        assert service.client.post("/batches", json={"open": True}).status_code == 201
        with follow(service, "batch=1", last="0" * 16) as answer:
            events = Events(answer)
            events.next()
            service.client.post("/batches/1/tasks", json=[{}])
            service.clock.move(2)
            assert events.until(1, "waiting")
            finish(service)
            assert events.until(1, "done")
            service.client.post("/batches/1/close")
            assert events.rest() == {}
        assert follow(service, "batch=1", last=events.digest).status_code == 204

    def test_a_task_that_is_added_just_before_its_batch_is_closed_is_sent(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(follow_tasks, "LOOK_SECONDS", 0.05)
        is_open, calls = FollowTasks._is_open, count()

        def closed_meanwhile(self: FollowTasks, batch: BatchId | None) -> bool:
            if next(calls) == 1:
                service.client.post("/batches/1/tasks", json=[{}])
                service.client.post("/batches/1/close")
            return is_open(self, batch)

        service.client.post("/batches", json={"open": True})
        monkeypatch.setattr(FollowTasks, "_is_open", closed_meanwhile)
        with follow(service, "batch=1", last="0" * 16) as answer:
            assert Events(answer).until(1, "waiting")

    def test_a_stream_without_tasks_ends_at_once(self, service: Service) -> None:
        assert Events(follow(service, "type=default")).rest() == {}

    def test_a_deleted_task_and_an_unknown_id_are_events_with_a_name(self, service: Service) -> None:
        submit(service, 2)
        with follow(service, "ids=1,2,7") as answer:
            events = Events(answer)
            assert events.next()[7] is None
            service.client.delete("/task/1")
            service.wake_up.notify(Topic.CHANGED)
            assert events.next() == {1: None}
            finish(service)
            assert events.rest().keys() == {2}


class TestResuming:
    def test_a_client_that_knows_all_states_receives_only_changes(self, service: Service) -> None:
        submit(service, 2)
        with follow(service) as answer:
            events = Events(answer)
            events.next()
        with follow(service, last=events.digest) as answer:
            again = Events(answer)
            assert again.next() == {}
            finish(service)
            assert again.until(1, "done")

    def test_changes_that_a_client_has_missed_are_sent_with_all_states(self, service: Service) -> None:
        submit(service, 2)
        with follow(service) as answer:
            events = Events(answer)
            events.next()
        finish(service)
        with follow(service, last=events.digest) as answer:
            assert {id: each["status"] for id, each in Events(answer).next().items()} == {1: "done", 2: "waiting"}

    def test_a_finished_stream_is_204_for_a_client_that_knows_its_end(self, service: Service) -> None:
        submit(service, 3)
        with follow(service, "ids=1,2,3,99") as answer:
            events = Events(answer)
            events.next()
            service.client.delete("/task/3")
            finish(service)
            finish(service)
            events.rest()
        again = follow(service, "ids=1,2,3,99", last=events.digest)
        assert (again.status_code, again.data) == (204, b"")
        service.client.post("/task/1/retry")
        assert follow(service, "ids=1,2", last="0" * 16).status_code == 200

    def test_the_digest_of_no_tasks_is_204_too(self, service: Service) -> None:
        with follow(service) as answer:
            events = Events(answer)
            events.rest()
        assert follow(service, last=events.digest).status_code == 204

    def test_the_digest_does_not_depend_on_the_process(self) -> None:
        task = steps.submission().registered(TaskId(7))
        shown = ShownStates()
        shown.update({TaskId(7): TaskRecord(task, "{}", version=Version(41)), TaskId(8): None})
        assert shown.digest == f"{hash((7, 41)) % 2**64:016x}"


class TestBounds:
    def test_streams_beyond_the_limit_of_waiters_end_after_the_present_states(self) -> None:
        service = configured(http_waiters=0)
        submit(service, 2)
        answer = follow(service)
        assert (answer.status_code, answer.headers["Retry-After"]) == (200, "1")
        assert Events(answer).rest().keys() == {1, 2}

    def test_streams_of_too_many_tasks_together_are_turned_away(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(change_feed, "MAX_AWAITED_TASKS", 3)
        submit(service, 2)
        with follow(service) as answer:
            assert "Retry-After" not in answer.headers
            assert follow(service).headers["Retry-After"] == "1"

    def test_a_slow_reader_receives_the_last_state_alone(self, service: Service) -> None:
        service.submit({})
        with follow(service, "ids=1") as answer:
            events = Events(answer)
            events.next()
            running = service.claim()
            for step in range(10):
                report(service, running, step / 10)
            [subscriber] = service.change_feed.subscribers
            versions = service.storage.autocommit.versions([TaskId(1)])
            until(lambda: subscriber.seen == versions)
            assert events.next()[1]["progress"]["value"] == 0.9

    def test_a_closed_stream_frees_its_subscription(self, service: Service) -> None:
        service.submit({})
        answer = follow(service)
        assert service.change_feed.subscribers
        answer.close()
        assert not service.change_feed.subscribers

    def test_streams_end_when_the_change_feed_closes(self, service: Service) -> None:
        service.submit({})
        with follow(service) as answer:
            events = Events(answer)
            events.next()
            service.change_feed.close()
            assert events.rest() == {}

    def test_a_stream_outlasts_an_outage(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(follow_tasks, "LOOK_SECONDS", 0.05)
        service.submit({})
        with follow(service) as answer:
            events = Events(answer)
            events.next()
            service.away = True
            service.clock.move(2)
            assert [events.next() for _ in range(2)] == [{}] * 2
            service.away = False
            finish(service)
            assert events.rest()[1]["status"] == "done"

    def test_two_streams_of_one_task_see_each_change(self, service: Service) -> None:
        service.submit({})
        with follow(service) as one, follow(service, "ids=1") as other:
            both = Events(one), Events(other)
            for events in both:
                events.next()
            finish(service)
            assert [events.rest()[1]["status"] for events in both] == ["done"] * 2
