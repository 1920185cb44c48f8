"""A task as it changes, from server-sent events: a connection that is cut is made again, and goes on where it was."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from flask_tasks.client.errors import Unavailable
from flask_tasks.client.json_text import load
from flask_tasks.client.request import ApiRequest
from flask_tasks.client.task import Task

if TYPE_CHECKING:
    from flask_tasks.client.transport import Transport

RECONNECT_SECONDS = 1.0
"""Seconds before a stream that has ended in good order is asked for again."""
HEARTBEAT_SECONDS = 5.0
"""Seconds between two signs of life, if nothing happens."""

Event = tuple[str, bytes]
"""Its id, and its data."""


def follow(transport: "Transport", id: int) -> Iterator[Task]:
    """The task as it stands, then after each change that shows, at last as it has finished."""
    request, pauses = _request(id), transport.pauses()
    while True:
        try:
            with transport.stream(request) as answer:
                for seen, data in events(lines(answer.chunks())):
                    yield (task := load(data, Task.of))
                    if task.is_final:
                        return
                    request, pauses = _request(id, seen), transport.pauses()
            pause = max(answer.retry_after, RECONNECT_SECONDS)
        except Unavailable as error:
            if (longer := next(pauses, None)) is None:
                raise
            pause = error.retry_after + longer
        transport.clock.sleep(pause)


def events(lines: Iterable[bytes]) -> Iterator[Event]:
    """Those that are complete."""
    id, data = "", b""
    for line in lines:
        name, _, value = line.partition(b":")
        match name:
            case b"id":
                id = value.strip().decode()
            case b"data":
                data += value
            case b"" if not line and data:
                yield id, data
                data = b""


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines, without their ends. Only these bytes end one: texts hold what Python splits lines at besides."""
    pieces: list[bytes] = []
    for chunk in chunks:
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            yield b"".join([*pieces, end]).removesuffix(b"\r")
            pieces.clear()
        pieces.append(rest)


def _request(id: int, seen: str = "") -> ApiRequest:
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": seen} if seen else {})
    return ApiRequest(method="GET", path=f"/task/{id}/events", headers=headers, wait=HEARTBEAT_SECONDS)
