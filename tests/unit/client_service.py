"""A client of the service over memory: no network, and pauses that take no time."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx

from adapters.clocks.manual import ManualClock
from flask_tasks.client import Client
from tests.unit.http_service import Service


class Pauses:
    """The time of a client: it passes while the client sleeps, and `then` is done after each of its pauses."""

    def __init__(self, clock: ManualClock) -> None:
        self.taken: list[float] = []
        self.then: Callable[[], Any] = lambda: None
        self._clock = clock

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def sleep(self, seconds: float, /) -> None:
        self.taken.append(seconds)
        self._clock.move(seconds)
        self.then()


class Line(httpx.BaseTransport):
    """The way to a service. `loses` are the answers that do not come back, by number, `cuts` those that break off."""

    def __init__(self, service: Service) -> None:
        self.requests: list[httpx.Request] = []
        self.loses: set[int] = set()
        self.cuts: set[int] = set()
        self._service = httpx.WSGITransport(app=service.app())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._service.handle_request(request)
        if len(self.requests) in self.loses:
            answer.close()
            raise httpx.ReadError("the line was cut")
        if len(self.requests) in self.cuts:
            return httpx.Response(answer.status_code, headers=answer.headers, stream=BrokenOff(answer))
        return answer


class BrokenOff(httpx.SyncByteStream):
    """Two chunks of an answer, and no more."""

    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        chunks = iter(self._answer.stream)
        yield next(chunks)
        yield next(chunks)
        raise httpx.RemoteProtocolError("the line was cut")

    def close(self) -> None:
        self._answer.close()


class Connected:
    """A service, and its client with the line between them."""

    def __init__(self, service: Service, **settings: Any) -> None:
        self.service = service
        self.pauses = Pauses(service.clock)
        self.line = Line(service)
        self.client = Client("http://service", transport=self.line, clock=self.pauses, **settings)

    def sent(self) -> list[tuple[str, str]]:
        """Methods and paths of all requests."""
        return [(each.method, each.url.path) for each in self.line.requests]
