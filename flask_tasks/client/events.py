"""Changes of tasks from server-sent events, across connections: a broken one is replaced and continues its stream."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from flask_tasks.client.errors import EMPTY, Unavailable
from flask_tasks.client.json_text import load
from flask_tasks.client.request import ApiRequest
from flask_tasks.client.task import TaskState
from flask_tasks.client.waiting import MayFinish

if TYPE_CHECKING:
    from flask_tasks.client.transport import Transport

T = TypeVar("T", bound=MayFinish)

RECONNECT_SECONDS = 1.0  # pause after a stream that ended regularly before its subject finished
HEARTBEAT_SECONDS = 5.0  # longest time between two lines of a stream
MESSAGE, DELETED = "message", "deleted"
"""Names of events: that of one without a name, and that a task is gone."""


class Event(NamedTuple):
    """An event: the id of the last one that had any, its name, and its data."""

    id: str
    name: str
    data: bytes


def follow(transport: "Transport", path: str, convert: Callable[[Any], T]) -> Iterator[T]:
    """Yield the current task or batch, then its value after each visible change, until it has finished."""
    shown = b""
    with closing(_stream(transport, path)) as found:
        for event in found:
            # A new connection repeats a state whose version is another, as after a change of the log.
            if event.name != MESSAGE or event.data == shown:
                continue
            yield (value := load(event.data, convert))
            if value.is_final:
                return
            shown = event.data


def follow_many(transport: "Transport", ids: Iterable[int]) -> Iterator[TaskState]:
    """Yield the current state of each task, then its state after each change, until all have finished or are gone."""
    left, shown = dict.fromkeys(ids), dict[int, TaskState]()
    with closing(_stream(transport, "/events", {"ids": ",".join(map(str, left))})) as found:
        while left:
            event = next(found)
            state = load(event.data, TaskState.deleted if event.name == DELETED else TaskState.of)
            if state.id in left and shown.get(state.id) != state:
                yield state
                shown[state.id] = state
                if state.is_final:
                    del left[state.id]


def _stream(transport: "Transport", path: str, query: Mapping[str, Any] = EMPTY) -> Generator[Event]:
    """Yield the events of a stream, across connections and without an end."""
    last_id, pauses = "", transport.pauses()

    def received(lines: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the lines. Each shows that the service is there, also one that is no more than a heartbeat."""
        nonlocal pauses
        for line in lines:
            pauses = transport.pauses()
            yield line

    while True:
        try:
            with transport.stream(_request(path, query, last_id)) as answer:
                for event in events(received(lines(answer.chunks()))):
                    yield event
                    last_id = event.id or last_id
            pause = max(answer.retry_after, RECONNECT_SECONDS)
        except Unavailable as error:
            if (backoff := next(pauses, None)) is None:
                raise
            pause = error.retry_after + backoff
        transport.clock.sleep(pause)


def events(lines: Iterable[bytes]) -> Iterator[Event]:
    """Parse lines to complete events."""
    id, data, name = "", b"", MESSAGE
    for line in lines:
        field, _, value = line.partition(b":")
        match field:
            case b"id":
                id = value.strip().decode()
            case b"event":
                name = value.strip().decode() or MESSAGE
            case b"data":
                data += value
            case b"" if not line:
                if data:
                    yield Event(id, name, data)
                data, name = b"", MESSAGE


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Split chunks at line feeds, and strip line ends. `splitlines` would split at other characters as well."""
    pieces: list[bytes] = []
    for chunk in chunks:
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            yield b"".join([*pieces, end]).removesuffix(b"\r")
            pieces.clear()
        pieces.append(rest)


def _request(path: str, query: Mapping[str, Any], last_id: str) -> ApiRequest:
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
    return ApiRequest(method="GET", path=path, query=query, headers=headers, wait=HEARTBEAT_SECONDS)
