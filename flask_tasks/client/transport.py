"""Requests and their answers over HTTP. What may be sent again without harm is, where nobody answers.

The only file that imports httpx, which takes a tenth of a second and 15 MB: who makes no client does without.
"""

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx

from flask_tasks.client.address import is_of_this_machine
from flask_tasks.client.backoff import MAX_SECONDS, Clock, pauses
from flask_tasks.client.errors import ClientError, Conflict, Invalid, NotFound, Unavailable
from flask_tasks.client.json_text import load
from flask_tasks.client.request import ApiRequest

T = TypeVar("T")

ERRORS: Mapping[int, type[ClientError]] = {
    400: Invalid,
    404: NotFound,
    409: Conflict,
    413: Invalid,
    415: Invalid,
    422: Invalid,
}
BUSY = frozenset({429, 502, 503, 504})
"""What a service says, or a proxy in front of it, that may answer in a moment."""
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
JSON = {"Content-Type": "application/json"}


class Response:
    """What was answered, and after how many seconds to come again, 0 where nothing was said of that."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.retry_after = _retry_after(response)

    def read(self, of: Callable[[Any], T]) -> T:
        """What this makes of its JSON. ClientError where it is not what the service would say."""
        return load(self._response.content, of)

    def chunks(self) -> Iterator[bytes]:
        """The content as it comes. Unavailable where it breaks off."""
        try:
            yield from self._response.iter_bytes()
        except httpx.RequestError as error:
            raise _unavailable(error) from error


class Transport:
    """Connections to one service, kept open; threads may share them."""

    def __init__(
        self,
        address: str,
        *,
        timeout: float,
        retries: int,
        headers: Mapping[str, str] | None,
        transport: httpx.BaseTransport | None,
        clock: Clock,
    ) -> None:
        self.clock = clock
        self._timeout, self._retries = timeout, retries
        self._http = httpx.Client(
            base_url=address,
            headers=headers,
            transport=transport,
            # Without TLS there is nothing to verify, and to read all certificates takes 50 ms.
            verify=address.lower().startswith("https:") or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            trust_env=not is_of_this_machine(address),
            limits=httpx.Limits(max_connections=None),
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def pauses(self) -> Iterator[float]:
        """Seconds before each retry."""
        return pauses(self._retries, self.clock)

    def ask(self, request: ApiRequest) -> Response:
        """The answer, if it is a good one. ClientError where it is not, or where there is none in the end."""
        done = None
        for pause in self.pauses():
            try:
                return self._answer(request, done)
            except Unavailable as error:
                if not (request.is_safe or error.is_unsent) or error.retry_after > MAX_SECONDS:
                    raise
                self.clock.sleep(error.retry_after + pause)
                done = request.done_before
        return self._answer(request, done)

    @contextmanager
    def stream(self, request: ApiRequest) -> Iterator[Response]:
        """The answer, of which the content is still to come. It is asked for once. ClientError as above."""
        response = self._sent(request, stream=True)
        try:
            if not response.is_success:
                response.read()
                raise _error(response)
            yield Response(response)
        except httpx.RequestError as error:
            raise _unavailable(error) from error
        finally:
            response.close()

    def _answer(self, request: ApiRequest, done: int | None) -> Response:
        response = self._sent(request)
        if response.is_success or response.status_code == done:
            return Response(response)
        raise _error(response)

    def _sent(self, request: ApiRequest, stream: bool = False) -> httpx.Response:
        built = self._http.build_request(
            request.method,
            request.path,
            params=request.query,
            content=request.body,
            headers={**(JSON if request.body is not None else {}), **request.headers},
            timeout=httpx.Timeout(self._timeout, read=self._timeout + request.wait),
        )
        try:
            return self._http.send(built, stream=stream)
        except httpx.RequestError as error:
            raise _unavailable(error) from error


def _unavailable(error: httpx.RequestError) -> Unavailable:
    why = str(error) or type(error).__name__
    return Unavailable(f"{error.request.url.copy_with(userinfo=b'')}: {why}", is_unsent=isinstance(error, UNSENT))


def _error(response: httpx.Response) -> ClientError:
    code, said = response.status_code, _said(response)
    message = str(said.get("message") or f"the answer is {code} {response.reason_phrase}")
    if code in BUSY:
        return Unavailable(message, code, _retry_after(response))
    if response.has_redirect_location:
        message += f", and sends to {response.headers['Location']}: give that address"
    return ERRORS.get(code, ClientError)(message, code, said.get("errors") or {})


def _said(response: httpx.Response) -> Mapping[str, Any]:
    try:
        said = response.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _retry_after(response: httpx.Response) -> float:
    given = response.headers.get("Retry-After", "")
    return float(given) if given.isdecimal() else 0.0
