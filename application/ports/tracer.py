"""The tracer: records what is done for a request as spans, each a place in the trace of that request."""

from enum import Enum, auto
from typing import Protocol

from domain.traceparent import Traceparent

Attribute = str | int


class SpanKind(Enum):
    """The part that a span has in an exchange: it answers a request, runs what was sent, or sends a request."""

    SERVER = auto()
    CONSUMER = auto()
    CLIENT = auto()


class Span(Protocol):
    """Something that has begun."""

    @property
    def traceparent(self) -> Traceparent:
        """Its place in the trace, under which what is done for it is placed."""
        ...

    def end(self, error: str | None = None, name: str | None = None, **attributes: Attribute) -> None:
        """It has ended: well, or with an error, of which the type alone is given. `name` replaces the first one."""
        ...


class Tracer(Protocol):
    """Safe to use from several threads. It waits for nothing but in `close`."""

    def start(self, name: str, kind: SpanKind, parent: Traceparent | None, **attributes: Attribute) -> Span:
        """Begin a span below its parent, or a new trace. In attributes `__` stands for a dot."""
        ...

    def close(self) -> None:
        """Send what is recorded, for some seconds at most."""
        ...
