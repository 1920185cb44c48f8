"""Lists as JSON lines: a task a line, read page by page while the client reads, and a last line that says how it ended.

Between two pages a stream holds neither a connection to the database nor a slot for requests, however slow its client.
"""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace

from flask import Response
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.http import HTTP_STATUS_CODES

from application.errors import StorageUnavailable
from application.open_streams import OpenStreams
from application.ports.clock import Clock
from application.ports.listing import End
from application.use_cases.list_tasks import ListTasks, ListTasksRequest, PageCursor, TaskPage
from entrypoints.http.limits.concurrency import further_slot
from entrypoints.http.requests.filters import encoded_cursor
from entrypoints.http.responses.json_response import NO_STORE
from entrypoints.task_json import summary_json

JSON_LINES = "application/x-ndjson"
PAGE_TASKS = 1_000
UNBUFFERED_HEADERS = {**NO_STORE, "X-Accel-Buffering": "no"}
RETRY_SECONDS, MAX_OUTAGE_SECONDS = 0.5, 30.0
"""Seconds between two tries to read a page while the database is away, and after which the stream ends."""
STOPPING = "the service is stopping: go on with `next` as the cursor"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a list stands: the request for all that follows, and the most tasks that may follow."""

    request: ListTasksRequest
    left: int | None = None

    @property
    def cursor(self) -> PageCursor | None:
        """The cursor of all that follows."""
        return self.request.after if self.request.by_end else self.request.before

    @property
    def next_page(self) -> ListTasksRequest:
        """The request for the next page."""
        return replace(self.request, limit=PAGE_TASKS if self.left is None else min(self.left, PAGE_TASKS))

    def behind(self, page: TaskPage) -> "Position | None":
        """The position behind this page; None at the end of the list."""
        left = None if self.left is None else self.left - len(page.views)
        if page.next is None or left == 0:
            return None
        if isinstance(page.next, End):
            return Position(replace(self.request, after=page.next), left)
        return Position(replace(self.request, before=page.next), left)


@dataclass(frozen=True, slots=True)
class Piece:
    """The lines of one page, and the position behind it; None if they end with the last line of the stream."""

    lines: bytes
    rest: Position | None


class JsonLines:
    """Answers requests with JSON lines."""

    def __init__(self, list_page: ListTasks, streams: OpenStreams, clock: Clock) -> None:
        self._list_page = list_page
        self._streams = streams
        self._clock = clock

    def answer(self, start: Position) -> Response:
        """Answer with all tasks from this position on. A list of one page is sent in one piece.

        Raises StorageUnavailable: the database is away, and nothing was sent.
        Raises ServiceUnavailable: too many lists are being streamed.
        """
        first = self._piece(start)
        if first.rest is None:
            return Response(first.lines, headers=UNBUFFERED_HEADERS, content_type=JSON_LINES)
        with ExitStack() as stack:
            if not stack.enter_context(self._streams.admit()):
                raise ServiceUnavailable("too many lists are being sent: try again", retry_after=1)
            pieces = self._pieces(first.lines, first.rest, further_slot())
            response = Response(pieces, headers=UNBUFFERED_HEADERS, content_type=JSON_LINES)
            response.call_on_close(stack.pop_all().close)
        return response

    def _pieces(self, piece: bytes, position: Position, slot: AbstractContextManager[None]) -> Iterator[bytes]:
        """Yield the lines page by page. The next page is read when those of the one before were taken."""
        rest: Position | None = position
        while rest:
            yield piece
            if not self._streams.wait(0):
                yield _error(STOPPING, rest)
                return
            try:
                page = self._read(rest, slot)
            except StorageUnavailable as error:
                yield _error(str(error), rest)
                return
            piece, rest = page.lines, page.rest
        yield piece

    def _read(self, position: Position, slot: AbstractContextManager[None]) -> Piece:
        """Read a page, again and again for a while if the database is away."""
        ends = self._clock.monotonic() + MAX_OUTAGE_SECONDS
        while True:
            try:
                with slot:
                    return self._piece(position)
            except StorageUnavailable:
                if self._clock.monotonic() >= ends or not self._streams.wait(RETRY_SECONDS):
                    raise

    def _piece(self, position: Position) -> Piece:
        page = self._list_page(position.next_page)
        rest = position.behind(page)
        lines = [summary_json(view, position.request.include) for view in page.views]
        ending = [] if rest else [f'{{"next":{encoded_cursor(page.next)}}}']
        return Piece("".join(f"{line}\n" for line in [*lines, *ending]).encode(), rest)


def _error(message: str, rest: Position) -> bytes:
    """The last line of a stream that was cut: an error in the usual form, and the cursor of the rest."""
    error = {"code": 503, "status": HTTP_STATUS_CODES[503], "message": message}
    return f'{{"error":{json.dumps(error)},"next":{encoded_cursor(rest.cursor)}}}\n'.encode()
