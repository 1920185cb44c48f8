"""HTTP requests with retries: a request without an answer is sent again if it is safe to repeat.

This is the only module that imports httpx, which takes a tenth of a second and 15 MB, so that only programs that make a
client pay for it.
"""

import os
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
from flask_tasks.progress import TRACE_VARIABLE

T = TypeVar("T")

ERRORS_BY_CODE: Mapping[int, type[ClientError]] = {
    400: Invalid,
    404: NotFound,
    409: Conflict,
    413: Invalid,
    415: Invalid,
    422: Invalid,
}
BUSY_CODES = frozenset({429, 502, 503, 504})
"""Status codes of a service, or of a proxy in front of it, that may serve the request later."""
UNSENT_ERRORS = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
JSON_HEADERS = {"Content-Type": "application/json"}


class Response:
    """A successful answer. `retry_after` has the seconds of its header Retry-After, or 0."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.retry_after = _retry_after(response)

    def read(self, convert: Callable[[Any], T]) -> T:
        """Decode and convert the JSON. Raises ClientError: it is not an answer of the service."""
        return load(self._response.content, convert)

    def chunks(self) -> Iterator[bytes]:
        """Yield the content in chunks. Raises Unavailable: the connection broke."""
        try:
            yield from self._response.iter_bytes()
        except httpx.RequestError as error:
            raise _unavailable(error) from error


class Transport:
    """Open connections to one service. Threads may share a transport."""

    def __init__(
        self,
        address: str,
        *,
        timeout: float,
        retries: int,
        headers: Mapping[str, str],
        transport: httpx.BaseTransport | None,
        clock: Clock,
    ) -> None:
        self.clock = clock
        self._timeout, self._retries = timeout, retries
        self._http = httpx.Client(
            base_url=address,
            headers=headers,
            transport=transport,
            # Without TLS no certificate is verified, and loading them takes 50 ms.
            verify=address.lower().startswith("https:") or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            trust_env=not is_of_this_machine(address),
            limits=httpx.Limits(max_connections=None),
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def pauses(self) -> Iterator[float]:
        """Yield the seconds to wait before each retry."""
        return pauses(self._retries, self.clock)

    def send(self, request: ApiRequest) -> Response:
        """Send a request, with retries. Raises ClientError: the answer is an error, or no request was answered."""
        repeat_code = None
        for pause in self.pauses():
            try:
                return self._send_once(request, repeat_code)
            except Unavailable as error:
                if not (request.is_safe or error.is_unsent) or error.retry_after > MAX_SECONDS:
                    raise
                self.clock.sleep(error.retry_after + pause)
                repeat_code = request.repeat_code
        return self._send_once(request, repeat_code)

    @contextmanager
    def stream(self, request: ApiRequest) -> Iterator[Response]:
        """Send a request once, and return the answer before its content. Raises ClientError: as `send`."""
        response = self._http_response(request, stream=True)
        try:
            if not response.is_success:
                response.read()
                raise _error(response)
            yield Response(response)
        except httpx.RequestError as error:
            raise _unavailable(error) from error
        finally:
            response.close()

    def _send_once(self, request: ApiRequest, repeat_code: int | None) -> Response:
        response = self._http_response(request)
        if response.is_success or response.status_code == repeat_code:
            return Response(response)
        raise _error(response)

    def _http_response(self, request: ApiRequest, stream: bool = False) -> httpx.Response:
        built = self._http.build_request(
            request.method,
            request.path,
            params=request.query,
            content=request.body,
            headers={**(JSON_HEADERS if request.body is not None else {}), **trace_headers(), **request.headers},
            timeout=httpx.Timeout(self._timeout, read=self._timeout + request.wait),
        )
        try:
            return self._http.send(built, stream=stream)
        except httpx.RequestError as error:
            raise _unavailable(error) from error


def trace_headers() -> Mapping[str, str]:
    """The header with the place in a trace, within a task that has one."""
    traceparent = os.environ.get(TRACE_VARIABLE)
    return {"traceparent": traceparent} if traceparent else {}


def _unavailable(error: httpx.RequestError) -> Unavailable:
    why = str(error) or type(error).__name__
    return Unavailable(
        f"{error.request.url.copy_with(userinfo=b'')}: {why}", is_unsent=isinstance(error, UNSENT_ERRORS)
    )


def _error(response: httpx.Response) -> ClientError:
    code, body = response.status_code, _json_object(response)
    message = str(body.get("message") or f"the service answered {code} {response.reason_phrase}")
    if code in BUSY_CODES:
        return Unavailable(message, code, _retry_after(response))
    if response.has_redirect_location:
        message += f" and redirects to {response.headers['Location']}: the client must be given that address"
    return ERRORS_BY_CODE.get(code, ClientError)(message, code, body.get("errors") or {})


def _json_object(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _retry_after(response: httpx.Response) -> float:
    seconds = response.headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else 0.0
