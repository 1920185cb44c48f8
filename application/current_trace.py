"""The place in a trace at which this thread works: a request sets it, and what is submitted there takes it along."""

from contextvars import ContextVar

from domain.traceparent import Traceparent

current_trace: ContextVar[Traceparent | None] = ContextVar("current trace", default=None)
