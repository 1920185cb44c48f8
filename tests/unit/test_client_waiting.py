"""Waiting of the client for tasks, and following of their events over broken connections."""

from collections.abc import Iterator
from threading import Thread

import httpx
import pytest

from application.ports.task_repository import Version
from application.ports.wake_up import Topic
from domain.ids import TaskId
from domain.settlement import RunningLog
from flask_tasks.client import Client, Gone, NotFinished, Summary, Unavailable
from flask_tasks.client.events import events, lines
from tests import steps
from tests.concurrency import until
from tests.unit.client_service import Connected, Pauses
from tests.unit.http_service import Service, configured


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.change_feed.close()


@pytest.fixture
def full() -> Connected:
    """A client of a service where no request can wait, so that each is answered with Retry-After."""
    return Connected(configured(http_waiters=0))


def version(service: Service) -> Version:
    """The version of the only task."""
    return service.storage.autocommit.versions([TaskId(1)])[TaskId(1)]


def finish_after(connected: Connected, pauses: int) -> None:
    """Finish the task after this number of pauses of the client."""
    connected.pauses.then = lambda: (
        connected.service.succeed('"at last"') if len(connected.pauses.taken) == pauses else None
    )


class SlowStreams(httpx.BaseTransport):
    """Answers with these streams, a piece each five seconds, after which the connection is cut."""

    def __init__(self, service: Service, streams: list[list[bytes]]) -> None:
        self._clock, self._streams = service.clock, streams

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=self._pieces(self._streams.pop(0)))

    def _pieces(self, stream: list[bytes]) -> Iterator[bytes]:
        for piece in stream:
            self._clock.move(5)
            yield piece
        raise httpx.ReadError("the line was cut")


def finish_when_a_request_waits(service: Service) -> Thread:
    def finish() -> None:
        until(lambda: service.change_feed.subscribers)
        service.succeed('"at last"')
        service.wake_up.notify(Topic.CHANGED)

    thread = Thread(target=finish)
    thread.start()
    return thread


class TestWait:
    def test_run_lets_the_service_wait_for_the_task(self, service: Service) -> None:
        connected = Connected(service)
        finisher = finish_when_a_request_waits(service)
        assert connected.client.run() == "at last"
        finisher.join()
        (request,) = connected.line.requests
        assert request.url.params["wait"] == "50.0"
        assert request.extensions["timeout"]["read"] == 80.0

    def test_a_long_wait_is_many_requests(self, full: Connected) -> None:
        finish_after(full, 100)
        assert full.client.wait(full.client.submit()).result == "at last"
        assert full.pauses.taken == [1.0] * 100
        assert full.sent()[1:] == [("GET", "/task/1")] * 101

    def test_wait_returns_the_current_task_when_the_time_is_over(self, full: Connected) -> None:
        start = full.pauses.monotonic()
        assert full.client.wait(full.client.submit(), 2.5).status == "waiting"
        assert full.pauses.monotonic() == start + 2.5
        waits = [float(request.url.params["wait"]) for request in full.line.requests[1:-1]]
        assert waits == [2.5, 1.5, 0.5]

    def test_submit_and_view_may_wait_longer_than_a_request(self, full: Connected) -> None:
        finish_after(full, 70)
        assert full.client.submit(wait=100).status == "done"
        full.client.submit()
        finish_after(full, 140)
        assert full.client.view(2, wait=100).status == "done"

    def test_an_outage_does_not_end_a_wait(self, full: Connected) -> None:
        task = full.client.submit()
        finish_after(full, 20)
        full.line.loses = {5, 6, 7, 12}
        assert full.client.result(task) == "at last"

    def test_a_wait_of_no_time_is_one_request(self, full: Connected) -> None:
        with pytest.raises(NotFinished):
            full.client.run(seconds=0)
        assert len(full.line.requests) == 1
        assert "wait" not in full.line.requests[0].url.params


class TestEvents:
    def test_events_yield_each_change_until_the_last(self, service: Service) -> None:
        connected = Connected(service)
        shown = connected.client.events(connected.client.submit(args={"a": "\u2028\x85\r\n"}))
        first = next(shown)
        assert (first.status, first.args) == ("waiting", {"a": "\u2028\x85\r\n"})
        service.succeed('"at last"')
        service.wake_up.notify(Topic.CHANGED)
        assert [task.result for task in shown] == ["at last"]
        assert len(connected.line.requests) == 2

    def test_closed_events_free_their_subscription(self, service: Service) -> None:
        connected = Connected(service)
        shown = connected.client.events(connected.client.submit())
        next(shown)
        assert service.change_feed.subscribers
        shown.close()  # type: ignore[attr-defined]
        assert not service.change_feed.subscribers

    def test_events_continue_after_a_broken_connection_without_repetition(self, service: Service) -> None:
        connected = Connected(service)
        connected.client.submit()
        connected.line.cuts = {2}
        connected.line.loses = {3}
        connected.pauses.then = lambda: service.succeed("7") if len(connected.pauses.taken) == 2 else None
        assert [task.status for task in connected.client.events(1)] == ["waiting", "done"]
        assert len({request.headers.get("Last-Event-ID") for request in connected.line.requests[1:]}) == 2

    def test_a_change_of_the_log_yields_no_state(self, service: Service) -> None:
        connected = Connected(service)
        shown = connected.client.events(connected.client.submit())
        assert next(shown).status == "waiting"
        running = service.claim()
        service.wake_up.notify(Topic.CHANGED)
        assert next(shown).status == "running"
        service.storage.autocommit.report_logs([RunningLog.of(running, service.clock.now(), "so far")])
        service.wake_up.notify(Topic.CHANGED)
        until(lambda: all(each.seen == {1: version(service)} for each in service.change_feed.subscribers))
        steps.succeed(service.storage, running, service.clock.now())
        service.wake_up.notify(Topic.CHANGED)
        assert [task.status for task in shown] == ["done"]

    def test_a_state_is_not_repeated_after_a_change_of_the_log_while_the_connection_was_cut(
        self, full: Connected
    ) -> None:
        service = full.service
        full.client.submit()
        running = service.claim()

        def then() -> None:
            if len(full.pauses.taken) == 1:
                service.storage.autocommit.report_logs([RunningLog.of(running, service.clock.now(), "so far")])
            else:
                steps.succeed(service.storage, running, service.clock.now())

        full.pauses.then = then
        assert [task.status for task in full.client.events(1)] == ["running", "done"]

    def test_events_beyond_the_limit_of_waiters_reconnect_after_retry_after(self, full: Connected) -> None:
        full.client.submit()
        finish_after(full, 3)
        assert [task.status for task in full.client.events(1)] == ["waiting", "done"]
        assert full.pauses.taken == [1.0] * 3

    def test_events_of_an_unavailable_service_raise_an_error_after_the_retries(self, service: Service) -> None:
        connected = Connected(service, retries=3)
        connected.client.submit()
        connected.line.loses = set(range(2, 100))
        with pytest.raises(Unavailable):
            next(connected.client.events(1))
        assert len(connected.line.requests) == 1 + 4

    def test_every_event_resets_the_retries(self) -> None:
        connected = Connected(configured(http_waiters=0), retries=1)
        connected.client.submit()
        connected.line.loses = {2, 4}
        finish_after(connected, 3)
        assert [task.status for task in connected.client.events(1)] == ["waiting", "done"]

    def test_every_heartbeat_resets_the_retries(self, service: Service) -> None:
        service.submit({})
        waiting = service.client.get("/task/1").data
        service.succeed("1")
        quiet = [b": heartbeat\n\n"] * 60
        first, last = ([b"data: ", state, b"\n\n"] for state in (waiting, service.client.get("/task/1").data))
        streams = [[*first, *quiet], quiet, quiet, last]
        client = Client("http://localhost", clock=Pauses(service.clock), transport=SlowStreams(service, streams))
        assert [task.status for task in client.events(1)] == ["waiting", "done"]

    def test_events_of_a_deleted_task_end_with_gone(self, full: Connected) -> None:
        full.client.submit()
        full.pauses.then = lambda: full.service.client.delete("/task/1")
        shown = full.client.events(1)
        next(shown)
        with pytest.raises(Gone):
            next(shown)


class TestEventsOfMany:
    def test_events_yield_the_state_of_each_task_until_all_have_finished(self, service: Service) -> None:
        connected = Connected(service)
        tasks: list[int | Summary] = [connected.client.submit(), connected.client.submit().id]
        shown = connected.client.events(tasks)
        assert [next(shown).status for _ in tasks] == ["waiting", "waiting"]
        service.succeed('"at last"')
        service.fail()
        service.wake_up.notify(Topic.CHANGED)
        last = {state.id: state for state in shown}
        assert (last[1].status, last[1].finished) == ("done", service.clock.now().timestamp())
        assert (last[2].status, last[2].error_type, last[2].is_final) == ("failed", "ValueError", True)
        assert len(connected.line.requests) == 2 + 1

    def test_events_continue_after_a_broken_connection_without_repetition(self, full: Connected) -> None:
        ids = full.client.submit_many({} for _ in range(3))
        full.line.cuts = {2}
        full.line.loses = {3}
        full.pauses.then = lambda: full.service.succeed("7") if 2 <= len(full.pauses.taken) <= 4 else None
        shown = [(state.id, state.status) for state in full.client.events(ids)]
        assert sorted(shown) == [(id, status) for id in ids for status in ("done", "waiting")]

    def test_a_deleted_task_has_a_last_state(self, full: Connected) -> None:
        full.client.submit()
        full.pauses.then = lambda: full.service.client.delete("/task/1")
        assert [state.status for state in full.client.events([1])] == ["waiting", "deleted"]

    def test_no_tasks_have_no_events(self, full: Connected) -> None:
        assert list(full.client.events([])) == []
        assert full.line.requests == []


class TestStream:
    def test_an_event_has_the_last_id_and_its_own_name(self) -> None:
        text = b"event: log\ndata: 1\n\nid: 2\ndata: 2\n\nid: 3\nevent: message\ndata: 3\n\nevent: log\n\ndata: 4\n\n"
        assert list(events(lines([text]))) == [
            ("", "log", b" 1"),
            ("2", "message", b" 2"),
            ("3", "message", b" 3"),
            ("3", "message", b" 4"),
        ]

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
    def test_events_are_parsed_from_chunks_of_any_size(self, size: int) -> None:
        text = 'retry: 1000\n\n:\n\nid: 1\ndata: {"a":"\u2028"}\n\nid: 2\r\ndata: 2\r\n\r\nid: 3\ndata: 3\n'.encode()
        chunks = [text[start : start + size] for start in range(0, len(text), size)]
        assert list(events(lines(chunks))) == [
            ("1", "message", ' {"a":"\u2028"}'.encode()),
            ("2", "message", b" 2"),
        ]
