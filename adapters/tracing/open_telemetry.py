"""The tracer by OpenTelemetry. Its variables, such as OTEL_TRACES_SAMPLER, are read by its SDK."""

from threading import Thread

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from application.ports.tracer import Attribute, SpanKind
from domain.traceparent import Traceparent

MAX_CLOSE_SECONDS = 2.0
"""Seconds that the end of a process waits for spans to be sent; a collector that is away gets the rest never."""
KINDS = {
    SpanKind.SERVER: trace.SpanKind.SERVER,
    SpanKind.CONSUMER: trace.SpanKind.CONSUMER,
    SpanKind.CLIENT: trace.SpanKind.CLIENT,
}


class OpenTelemetrySpan:
    """Implements application.ports.tracer.Span."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> Traceparent:
        context = self._span.get_span_context()
        return Traceparent(f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}")

    def end(self, error: str | None = None, name: str | None = None, **attributes: Attribute) -> None:
        if name:
            self._span.update_name(name)
        self._span.set_attributes(_dotted(attributes))
        if error:
            self._span.set_attribute("error.type", error)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class OpenTelemetryTracer:
    """Implements application.ports.tracer.Tracer. A thread sends the spans by OTLP over HTTP, some seconds later."""

    def __init__(self, service: str, exporter: SpanExporter | None = None) -> None:
        resource = Resource({"service.name": service}).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("flask_tasks")
        self._propagator = TraceContextTextMapPropagator()

    def start(
        self, name: str, kind: SpanKind, parent: Traceparent | None, **attributes: Attribute
    ) -> OpenTelemetrySpan:
        context = self._propagator.extract({"traceparent": parent} if parent else {}, Context())
        return OpenTelemetrySpan(self._tracer.start_span(name, context, KINDS[kind], _dotted(attributes)))

    def close(self) -> None:
        # The SDK would try for longer than a process may take to stop.
        closing = Thread(target=self._provider.shutdown, name="spans", daemon=True)
        closing.start()
        closing.join(MAX_CLOSE_SECONDS)


def _dotted(attributes: dict[str, Attribute]) -> dict[str, Attribute]:
    return {name.replace("__", "."): value for name, value in attributes.items()}
