"""Changes of a task from server-sent events, across connections: a broken one is replaced and continues its stream."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from flask_tasks.client.errors import Unavailable
from flask_tasks.client.json_text import load
from flask_tasks.client.request import ApiRequest
from flask_tasks.client.task import Task

if TYPE_CHECKING:
    from flask_tasks.client.transport import Transport

RECONNECT_SECONDS = 1.0  # pause after a stream that ended regularly before the task finished
HEARTBEAT_SECONDS = 5.0  # longest time between two lines of a stream

Event = tuple[str, bytes]
"""Id and data of an event."""


def follow(transport: "Transport", id: int) -> Iterator[Task]:
    """Yield the current task, then the task after each visible change, until it has finished."""
    request, pauses = _request(id), transport.pauses()
    shown = b""
    while True:
        try:
            with transport.stream(request) as answer:
                for last_id, data in events(lines(answer.chunks())):
                    # A new connection repeats a state whose version is another, as after a change of the log.
                    if data != shown:
                        yield (task := load(data, Task.of))
                        if task.is_final:
                            return
                    shown = data
                    request, pauses = _request(id, last_id), transport.pauses()
            pause = max(answer.retry_after, RECONNECT_SECONDS)
        except Unavailable as error:
            if (backoff := next(pauses, None)) is None:
                raise
            pause = error.retry_after + backoff
        transport.clock.sleep(pause)


def events(lines: Iterable[bytes]) -> Iterator[Event]:
    """Parse lines to complete events. Named events, such as that of a changed log, are left out."""
    id, data, is_named = "", b"", False
    for line in lines:
        name, _, value = line.partition(b":")
        match name:
            case b"id":
                id = value.strip().decode()
            case b"event":
                is_named = value.strip() not in (b"", b"message")
            case b"data":
                data += value
            case b"" if not line:
                if data and not is_named:
                    yield id, data
                data, is_named = b"", False


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Split chunks at line feeds, and strip line ends. `splitlines` would split at other characters as well."""
    pieces: list[bytes] = []
    for chunk in chunks:
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            yield b"".join([*pieces, end]).removesuffix(b"\r")
            pieces.clear()
        pieces.append(rest)


def _request(id: int, last_id: str = "") -> ApiRequest:
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
    return ApiRequest(method="GET", path=f"/task/{id}/events", headers=headers, wait=HEARTBEAT_SECONDS)
