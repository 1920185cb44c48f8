"""Live regions: the part of a page that an event stream renders again, shared by all to whom it looks the same."""

import re
import time
from collections.abc import Callable, Generator, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock

from application.errors import ApplicationError
from application.open_streams import OpenStreams
from entrypoints.http.pages.visible import encoded

MIN_REST_SECONDS = 0.5
"""Seconds between two renderings of one region at least."""
MAX_SHARE = 1 / 300
"""Share of one processor that rendering one region may take: a region that takes long is rendered seldom."""
MAX_TIME_SHARE = 1 / 10
"""Share of the time that this may take: the database works on the region meanwhile."""
HEARTBEAT_SECONDS = 15.0
"""Seconds after which an unchanged region sends something, so that a client that is gone is noticed."""
MAX_RENDERINGS = 4
"""Regions that are rendered at once, so that most connections to the database are left to requests."""
LINE_BREAK = re.compile("\r\n|\r|\n")
RECONNECT, HEARTBEAT = b"retry: 1000\n\n", b":\n\n"
Render = Callable[[], str]


@dataclass(slots=True)
class Region:
    """The region of one page, and when it is due to be rendered again."""

    streams: int = 0
    html: str = ""
    due_at: float = 0.0
    lock: Lock = field(default_factory=Lock)

    def current(self, render: Render) -> str:
        """The region as it was rendered last, or now if that was long ago. While that fails, the last one."""
        with self.lock:
            if time.monotonic() >= self.due_at:
                began, worked = time.monotonic(), time.thread_time()
                try:
                    self.html = render()
                except ApplicationError:
                    pass
                finally:
                    now, worked = time.monotonic(), time.thread_time() - worked
                    self.due_at = now + max(MIN_REST_SECONDS, worked / MAX_SHARE, (now - began) / MAX_TIME_SHARE)
            return self.html


class LiveRegions:
    """Streams regions. Thread-safe: streams of one key share what is rendered."""

    def __init__(self, open_pages: OpenStreams) -> None:
        self._open_pages = open_pages
        self._regions: dict[Hashable, Region] = {}
        self._turns = BoundedSemaphore(MAX_RENDERINGS)
        self._lock = Lock()

    def stream(self, key: Hashable, render: Render) -> Generator[bytes]:
        """Yield an event for each change of the region of this key, the first one at once, while it is looked at.

        Where too many pages are open, it ends at once: the client connects again after a while.
        """
        with self._open_pages.admit() as is_admitted, self._region(key) as region:
            yield RECONNECT
            sent, sent_at = "", time.monotonic()
            while is_admitted:
                html = region.current(lambda: self._in_turn(render))
                if html != sent or time.monotonic() - sent_at >= HEARTBEAT_SECONDS:
                    yield HEARTBEAT if html == sent else _event(html)
                    sent, sent_at = html, time.monotonic()
                is_admitted = self._open_pages.wait(max(MIN_REST_SECONDS, region.due_at - time.monotonic()))

    def _in_turn(self, render: Render) -> str:
        with self._turns:
            return render()

    @contextmanager
    def _region(self, key: Hashable) -> Iterator[Region]:
        with self._lock:
            region = self._regions.setdefault(key, Region())
            region.streams += 1
        try:
            yield region
        finally:
            with self._lock:
                region.streams -= 1
                if not region.streams:
                    self._regions.pop(key, None)


def _event(html: str) -> bytes:
    """An event whose data is the text; each of its lines is a line of data."""
    lines = "".join(f"data: {line}\n" for line in LINE_BREAK.split(html))
    return encoded(f"{lines}\n")
