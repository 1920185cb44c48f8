"""Tracing: spans of runs and callbacks, sent by OpenTelemetry where its packages are installed."""

from adapters.tracing.traced_executor import TracedExecutor
from adapters.tracing.traced_webhook_sender import TracedWebhookSender

__all__ = ["TracedExecutor", "TracedWebhookSender"]
