"""Many tasks in few requests: reading them as JSON lines, and submitting them in bodies of bounded size."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from flask_tasks.client.errors import Unavailable
from flask_tasks.client.events import lines
from flask_tasks.client.json_text import load
from flask_tasks.client.request import ApiRequest
from flask_tasks.client.task import Task

if TYPE_CHECKING:
    from flask_tasks.client.transport import Transport

T = TypeVar("T")

JSON_LINES = {"Accept": "application/x-ndjson"}
MAX_OUTAGE_SECONDS = 30.0  # time without a line while the service waits for its database
MAX_IDS_CHARACTERS = 6_000
"""Characters of the ids in one address: some proxies take addresses of 8 KiB at most."""
COMMA_CHARACTERS = len("%2C")


class BodyLimits(NamedTuple):
    """The most tasks, and the most bytes of their JSON, in the body of a request."""

    tasks: int
    bytes: int


PIECE = BodyLimits(1_000, 8 * 1024 * 1024)
"""Limits of one request of several."""
WHOLE = BodyLimits(10_000, 30 * 1024 * 1024)
"""Limits of the service, with room for other members than the tasks."""


def read(transport: "Transport", ids: Collection[int], **query: str) -> Iterator[Task]:
    """Yield the existing tasks of these ids that match the query, each once."""
    for portion in portions(ids):
        yield from _read(transport, portion, query)


def pages(
    transport: "Transport", path: str, query: Mapping[str, Any], name: str, convert: Callable[[Any], T]
) -> Iterator[T]:
    """Yield the items of a list, whose pages have them as the member `name`. Each page is requested on demand."""
    cursor: str | None = ""
    while cursor is not None:
        of_page = {**query, "cursor": cursor} if cursor else query
        answer = transport.send(ApiRequest(method="GET", path=path, query=of_page))
        page, cursor = answer.read(lambda body: ([convert(each) for each in body[name]], body["next"]))
        yield from page


def portions(ids: Collection[int]) -> Iterator[list[int]]:
    """Divide ids into portions that an address can hold, the highest ids first."""
    portion: list[int] = []
    left = MAX_IDS_CHARACTERS
    for id in sorted(ids, reverse=True):
        characters = len(str(id)) + COMMA_CHARACTERS
        if characters > left:
            yield portion
            portion, left = [], MAX_IDS_CHARACTERS
        portion.append(id)
        left -= characters
    if portion:
        yield portion


def bodies(items: Iterable[bytes], limits: BodyLimits) -> Iterator[bytes]:
    """Join JSON texts to arrays within the limits; a single item may have more bytes."""
    body: list[bytes] = []
    size = 0
    for item in items:
        if body and (len(body) == limits.tasks or size + len(item) > limits.bytes):
            yield b"[" + b",".join(body) + b"]"
            body, size = [], 0
        body.append(item)
        size += len(item)
    if body:
        yield b"[" + b",".join(body) + b"]"


def in_order(finished: Iterator[Task], ids: Iterable[int]) -> Iterator[Task]:
    """Yield the tasks in the order of these ids, each as soon as it and those before it have finished."""
    early = dict[int, Task]()
    for id in ids:
        while id not in early:
            task = next(finished)
            early[task.id] = task
        yield early.pop(id)


def _read(transport: "Transport", ids: Iterable[int], query: dict[str, str]) -> Iterator[Task]:
    """Yield the tasks of one portion. After a stream that was cut, ask for those that have not come."""
    left, pauses = dict.fromkeys(ids), transport.pauses()
    while True:
        try:
            with transport.stream(_request(left, query)) as answer:
                for line in lines(answer.chunks()):
                    if (task := load(line, _task_or_end)) is None:
                        return
                    pauses = transport.pauses()
                    if task.id in left:  # A task that finishes again while a list is sent may come again.
                        del left[task.id]
                        yield task
            raise Unavailable("the list was cut off")
        except Unavailable as error:
            if not left:
                return
            if (pause := next(pauses, None)) is None:
                raise
            transport.clock.sleep(error.retry_after + pause)


def _request(ids: Iterable[int], query: dict[str, str]) -> ApiRequest:
    whole = {"ids": ",".join(map(str, ids)), "include": "args,result", **query}
    return ApiRequest(method="GET", path="/tasks", query=whole, headers=JSON_LINES, wait=MAX_OUTAGE_SECONDS)


def _task_or_end(data: Any) -> Task | None:
    """Make the task of a line; None for the last line. Raises Unavailable: the service could not send all tasks."""
    if "id" in data:
        return Task.of(data)
    if "error" in data:
        raise Unavailable(str(data["error"]["message"]), int(data["error"]["code"]))
    return None
