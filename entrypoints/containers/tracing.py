"""The tracer of a process, and what it traces: nothing where no address is set to which spans are sent."""

from collections.abc import Iterator

from adapters.tracing import TracedExecutor, TracedWebhookSender
from application.ports.executor import Executor
from application.ports.tracer import Tracer
from application.ports.webhooks import WebhookSender


def opened_tracer(endpoint: str | None, process: str) -> Iterator[Tracer | None]:
    """The tracer while it is used; None without an endpoint."""
    if endpoint is None:
        yield None
        return
    # Imported only here: its packages are not installed everywhere.
    from adapters.tracing.open_telemetry import OpenTelemetryTracer

    tracer = OpenTelemetryTracer(f"flask-tasks-{process}")
    yield tracer
    tracer.close()


def traced_executor(executor: Executor, tracer: Tracer | None) -> Executor:
    """The executor whose runs are spans, if there is a tracer."""
    return TracedExecutor(executor, tracer) if tracer else executor


def traced_webhook_sender(sender: WebhookSender, tracer: Tracer | None) -> WebhookSender:
    """The sender whose messages are spans, if there is a tracer."""
    return TracedWebhookSender(sender, tracer) if tracer else sender
