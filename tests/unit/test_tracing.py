"""Spans of requests, runs and callbacks: each below the one that caused it, and without what is not for others."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adapters.tracing import TracedExecutor, TracedWebhookSender
from adapters.tracing.open_telemetry import OpenTelemetryTracer
from application.ports.executor import Event, Failed, Interrupted, Run, Succeeded
from application.ports.webhooks import Delivered, Gone, SendResult
from domain.failure import Failure
from domain.ids import Claim, HandlerId, Hold, TaskId, TypeName
from domain.traceparent import Traceparent, parse_traceparent, trace_id
from entrypoints.containers.injector import providers
from entrypoints.settings import Settings
from tests import steps
from tests.unit.http_service import Service

CALLER = Traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
HOLD = Hold(TaskId(7), Claim(2), HandlerId("me"))
SECRET = "tiger"


class Recorded:
    """A tracer, and the spans that have ended."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.tracer = OpenTelemetryTracer("flask-tasks-test", self._exporter)

    def spans(self) -> Sequence[ReadableSpan]:
        """All spans. No others can be recorded after that."""
        self.tracer.close()
        return self._exporter.get_finished_spans()


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    recorded = Recorded()
    yield recorded
    recorded.tracer.close()


def place(span: ReadableSpan) -> tuple[str, str]:
    """The trace and the parent of a span, in hexadecimal digits."""
    return f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}" if span.parent else ""


class TestRequests:
    @pytest.fixture
    def service(self, recorded: Recorded) -> Service:
        service = Service(given=Settings(otel_exporter_otlp_endpoint="http://collector"), has_own_app=True)
        service.container.tracer.override(providers.Object(recorded.tracer))
        return service

    def test_a_request_is_a_span_below_that_of_its_caller_and_its_task_is_below_it(
        self, service: Service, recorded: Recorded
    ) -> None:
        headers = {"traceparent": CALLER, "X-Secret": SECRET}
        service.client.post("/task/new?priority=1", json={"a": SECRET}, headers=headers, buffered=True)
        stored = steps.stored(service.storage, 1).task.traceparent
        (span,) = recorded.spans()
        assert (span.name, span.kind.name) == ("POST /task/new", "SERVER")
        assert place(span) == (trace_id(CALLER), CALLER[36:52])
        assert stored == f"00-{CALLER[3:35]}-{span.context.span_id:016x}-01"
        assert dict(span.attributes or {}) == {
            "http.request.method": "POST",
            "http.route": "/task/new",
            "http.response.status_code": 201,
        }

    def test_a_request_without_a_trace_begins_one(self, service: Service, recorded: Recorded) -> None:
        service.client.post("/task/new", json={}, buffered=True)
        stored = steps.stored(service.storage, 1).task.traceparent
        (span,) = recorded.spans()
        assert place(span) == (trace_id(stored), "")

    def test_a_request_that_fails_is_a_span_with_an_error(self, service: Service, recorded: Recorded) -> None:
        service.client.get("/tasks")
        service.away = True
        for path in ("/tasks", "/nothing"):
            service.client.get(path, buffered=True)
        errors = {each.name: each.status.is_ok for each in recorded.spans()}
        assert errors["GET /tasks"] is False
        assert errors["GET"] is True


class Stub:
    """Implements what TracedExecutor uses of an executor."""

    concurrency = free = 1

    def __init__(self, *events: Event) -> None:
        self.runs: list[Run] = []
        self.next_events = events

    def start(self, run: Run) -> None:
        self.runs.append(run)

    def events(self, timeout: float) -> Sequence[Event]:
        return self.next_events

    def recall(self) -> Sequence[Hold]:
        return [HOLD]

    def close(self, seconds_left: Any = None) -> None: ...


class TestRuns:
    @pytest.mark.parametrize(
        ("event", "error"),
        [
            (Succeeded(HOLD, f'"{SECRET}"'), None),
            (Failed(HOLD, Failure("ValueError", SECRET)), "ValueError"),
            (Interrupted(HOLD), "Lost"),
        ],
    )
    def test_a_run_is_a_span_below_the_request_and_the_function_is_below_it(
        self, recorded: Recorded, event: Event, error: str | None
    ) -> None:
        stub = Stub(event)
        executor = TracedExecutor(stub, recorded.tracer)  # type: ignore[arg-type]
        executor.start(Run(HOLD, TypeName("fetch"), 1, f'{{"a": "{SECRET}"}}', CALLER))
        executor.events(0)
        (span,) = recorded.spans()
        assert (span.name, span.kind.name, place(span)) == ("run fetch", "CONSUMER", (CALLER[3:35], CALLER[36:52]))
        assert stub.runs[0].traceparent == f"00-{CALLER[3:35]}-{span.context.span_id:016x}-01"
        assert (span.attributes or {}).get("error.type") == error
        assert SECRET not in span.to_json()

    @pytest.mark.parametrize(("end", "error"), [(TracedExecutor.recall, "Recalled"), (TracedExecutor.close, "Lost")])
    def test_a_run_that_is_given_up_has_ended(
        self, recorded: Recorded, end: Callable[[TracedExecutor], object], error: str
    ) -> None:
        executor = TracedExecutor(Stub(), recorded.tracer)  # type: ignore[arg-type]
        executor.start(Run(HOLD, TypeName("fetch"), 1, "{}"))
        end(executor)
        (span,) = recorded.spans()
        assert (span.parent, (span.attributes or {}).get("error.type")) == (None, error)


class TestCallbacks:
    @pytest.mark.parametrize(("result", "error"), [(Delivered(), None), (Gone("it said so"), "Gone")])
    def test_a_message_is_a_span_and_carries_its_place(
        self, recorded: Recorded, result: SendResult, error: str | None
    ) -> None:
        sent: list[Any] = []

        class Sender:
            def send(self, *given: Any) -> SendResult:
                sent.extend(given)
                return result

        url = f"https://user:{SECRET}@receiver.example.org/{SECRET}?{SECRET}"
        sender = TracedWebhookSender(Sender(), recorded.tracer)
        assert sender.send(url, "event", datetime.now(UTC), b"{}", CALLER) == result
        (span,) = recorded.spans()
        assert (span.name, place(span)) == ("callback", (CALLER[3:35], CALLER[36:52]))
        assert parse_traceparent(sent[-1]) == f"00-{CALLER[3:35]}-{span.context.span_id:016x}-01"
        assert (span.attributes or {}).get("error.type") == error
        assert SECRET not in span.to_json()
