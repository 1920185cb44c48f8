"""A webhook sender that records each message as a span, and sends its place in the trace along."""

from datetime import datetime
from urllib.parse import urlsplit

from application.ports.tracer import SpanKind, Tracer
from application.ports.webhooks import Delivered, SendResult, WebhookSender
from domain.traceparent import Traceparent


class TracedWebhookSender:
    """Implements application.ports.webhooks.WebhookSender by another one."""

    def __init__(self, sender: WebhookSender, tracer: Tracer) -> None:
        self._sender, self._tracer = sender, tracer

    def send(
        self, url: str, event_id: str, sent_at: datetime, body: bytes, traceparent: Traceparent | None = None
    ) -> SendResult:
        # The rest of the address may hold a secret.
        host = urlsplit(url).hostname or ""
        span = self._tracer.start("callback", SpanKind.CLIENT, traceparent, server__address=host)
        error: str | None = "Failed"
        try:
            result = self._sender.send(url, event_id, sent_at, body, span.traceparent)
            error = None if isinstance(result, Delivered) else type(result).__name__
        finally:
            span.end(error)
        return result
