"""Receiving of bodies: a body has a deadline and a least rate, and one that falls behind gives its place to another."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import IO, Any

from werkzeug.exceptions import RequestTimeout, ServiceUnavailable

PIECE_BYTES = 64 * 1024  # the rate of a body is known at the end of each piece
MAX_WAIT_SECONDS, CHECK_SECONDS = 3.0, 0.02  # for a place, and between two looks for a body that is behind
MAX_BODIES_BEHIND = 400  # bodies without a place; each keeps a thread of the server, and nothing that it has sent


class LateBody(RequestTimeout):
    """The body came too slowly."""

    def get_headers(self, *args: Any, **more: Any) -> list[tuple[str, str]]:
        """Close the connection, on which the rest of the body may still come."""
        return [*super().get_headers(*args, **more), ("Connection", "close")]


@dataclass(frozen=True, slots=True)
class Pace:
    """The pace at which bodies have to come.

    - `grace_seconds`: time for any body, before the least rate is asked for.
    - `undisturbed_seconds`: time before a body that is behind the least rate may lose its place to another one.
    """

    bytes_per_second: float = 64 * 1024
    grace_seconds: float = 10.0
    undisturbed_seconds: float = 0.1


class Reception:
    """The receiving of one body, by the thread of its request.

    A read of the server cannot be interrupted. So a body that has lost its place, or its time, is refused at the end of
    the piece that is being read, or of the connection (`wsgi/idle_connections.py`), and its thread waits until then;
    what it has sent is dropped at once.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._pieces: list[bytes] = []
        self._received = 0
        self._began_at: float | None = None
        self._is_over = self._is_late = False

    def read(self, stream: IO[bytes], max_bytes: int) -> bytes:
        """Read a body up to its end, or so many bytes of it. Raises LateBody: it is too slow."""
        self._began_at = time.monotonic()
        while self._received < max_bytes:
            piece = stream.read(min(PIECE_BYTES, max_bytes - self._received))
            self._received += len(piece)
            if self._is_late or self._is_after_deadline():
                raise LateBody("the body came too slowly: send it at once, or try again later")
            if not piece:
                break
            self._pieces.append(piece)
        self._is_over = True
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    def give_way(self) -> None:
        """Drop the body, so that another one takes its place."""
        self._is_late = True
        self._pieces.clear()

    def is_behind(self) -> bool:
        """Whether the body may lose its place: it is being received, and has come more slowly than it has to."""
        if self._began_at is None or self._is_over:
            return False
        seconds = time.monotonic() - self._began_at
        return seconds > self._pace.undisturbed_seconds and self._received < seconds * self._pace.bytes_per_second

    def _is_after_deadline(self) -> bool:
        allowed = self._pace.grace_seconds + self._received / self._pace.bytes_per_second
        return time.monotonic() - (self._began_at or 0) > allowed


class Receptions:
    """A number of places, at least one, for bodies that are received at once. `with receptions.place() as body:`

    A body that is behind gives its place to one that needs it, so that slow clients keep none from others.
    """

    def __init__(self, places: int, pace: Pace | None = None, max_wait: float = MAX_WAIT_SECONDS) -> None:
        self._pace = pace or Pace()
        self._max_wait = max_wait
        # Each place is free, or belongs to one body. Sets and SimpleQueue are atomic, and cost less than a Condition.
        self._free: SimpleQueue[None] = SimpleQueue()
        self._present: set[Reception] = set()
        self._behind: set[Reception] = set()
        for _ in range(max(1, places)):
            self._free.put(None)

    @contextmanager
    def place(self) -> Iterator[Reception]:
        """Hold a place for a body. Raises ServiceUnavailable, with Retry-After: no body gives its place away."""
        self._take_place()
        reception = Reception(self._pace)
        self._present.add(reception)
        try:
            yield reception
        finally:
            if self._leaves(reception):
                self._free.put(None)
            self._behind.discard(reception)

    def _take_place(self) -> None:
        end = time.monotonic() + self._max_wait
        while not self._takes_free_place() and not self._takes_place_of_another():
            if time.monotonic() > end:
                raise ServiceUnavailable("too many request bodies are being received: try again", retry_after=1)

    def _takes_free_place(self) -> bool:
        try:
            self._free.get(timeout=CHECK_SECONDS)
        except Empty:
            return False
        return True

    def _takes_place_of_another(self) -> bool:
        behind = next((each for each in list(self._present) if each.is_behind()), None)
        if behind is None or len(self._behind) >= MAX_BODIES_BEHIND:
            return False
        self._behind.add(behind)
        if not self._leaves(behind):
            self._behind.discard(behind)
            return False
        behind.give_way()
        return True

    def _leaves(self, reception: Reception) -> bool:
        """Take a body out of the present ones, once. Its place belongs to the thread that is answered True."""
        try:
            self._present.remove(reception)
        except KeyError:
            return False
        return True
