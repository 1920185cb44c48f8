"""A client of the service over memory, without network and with pauses that take no time."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx

from adapters.clocks.manual import ManualClock
from flask_tasks.client import Client
from tests.unit.http_service import Service


class Pauses:
    """The clock of a client. Time passes while the client sleeps, and `then` is called after each pause."""

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
    """Connection to a service.

    - `loses`: numbers of the requests whose answer is lost.
    - `cuts`: numbers of the requests whose answer breaks off.
    """

    def __init__(self, service: Service) -> None:
        self.requests: list[httpx.Request] = []
        self.loses: set[int] = set()
        self.cuts: set[int] = set()
        self._service = httpx.WSGITransport(app=service.client.application)

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
    """The first two chunks of an answer, then a broken connection."""

    def __init__(self, answer: httpx.Response) -> None:
        assert isinstance(answer.stream, httpx.SyncByteStream)
        self._answer, self._stream = answer, answer.stream

    def __iter__(self) -> Iterator[bytes]:
        chunks = iter(self._stream)
        yield next(chunks)
        yield next(chunks)
        raise httpx.RemoteProtocolError("the line was cut")

    def close(self) -> None:
        self._answer.close()


class Connected:
    """A service, a client, and the line between them."""

    def __init__(self, service: Service, **settings: Any) -> None:
        self.service = service
        self.pauses = Pauses(service.clock)
        self.line = Line(service)
        self.client = Client("http://localhost", transport=self.line, clock=self.pauses, **settings)

    def sent(self) -> list[tuple[str, str]]:
        """Return the method and path of each request."""
        return [(each.method, each.url.path) for each in self.line.requests]
