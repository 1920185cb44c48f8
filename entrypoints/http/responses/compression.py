"""Compression of answers: text of 1 KiB and more is sent by gzip or zstd where the client accepts it."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import zstandard
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header, parse_set_header
from werkzeug.wsgi import ClosingIterator

from entrypoints.http.flask_app import WsgiApp

MIN_BYTES = 1024
MAX_ACCEPT_CHARACTERS = 200  # of a header that is parsed and remembered
TEXTS = frozenset({"application/json", "application/x-ndjson", "application/javascript", "image/svg+xml"})
EVENT_STREAM = "text/event-stream"
FAST, SMALL = 1, 9
"""Levels. On arrays of numbers, SMALL takes several times as long as FAST, and saves a twentieth."""
Headers = Sequence[tuple[str, str]]


class Encoder(Protocol):
    """A compressor of one answer. `flush` without a mode ends it."""

    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self, mode: int = ..., /) -> bytes: ...


class Encoding(NamedTuple):
    """A content encoding.

    - `encoder`: makes an encoder of a level for so many bytes, or for an unknown number of them, which is -1.
    - `flush_mode`: lets the client decompress all that was sent so far.
    """

    encoder: Callable[[int, int], Encoder]
    flush_mode: int


ENCODINGS: Mapping[str, Encoding] = {
    "zstd": Encoding(
        lambda level, size: zstandard.ZstdCompressor(level=level).compressobj(size), zstandard.COMPRESSOBJ_FLUSH_BLOCK
    ),
    "gzip": Encoding(lambda level, _: zlib.compressobj(level, zlib.DEFLATED, 16 + zlib.MAX_WBITS), zlib.Z_SYNC_FLUSH),
}
"""The encodings by name, the better one first."""


class Compression:
    """WSGI middleware that compresses answers, but for event streams, parts of files, and what is compressed already.

    A body of known length is compressed as a whole, and any other one piece by piece: each piece is flushed at once, so
    that none waits for the next.
    """

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        started: list[Any] = []
        body = self._app(environ, lambda *start: started.append(start))
        # Most answers are one short piece, which should cost nothing.
        if type(body) is list and body and len(body[0]) < MIN_BYTES:
            start_response(*started[0])
            return body
        status, headers, *more = started[0]
        changes, body = _encoded(status, headers, body, environ)
        kept = [each for each in headers if each[0].title() not in changes] if changes else headers
        start_response(status, [*kept, *((name, value) for name, value in changes.items() if value)], *more)
        return body


def _encoded(status: str, headers: Headers, body: Any, environ: Any) -> tuple[Mapping[str, str | None], Any]:
    """Return the headers that change, where None removes one, and the encoded body."""
    given = {name.title(): value for name, value in headers}
    if not (status.startswith("304") or is_text(given)):
        return {}, body
    vary = {"Vary": with_accept_encoding(given.get("Vary", ""))}
    name, size = best_encoding(environ.get("HTTP_ACCEPT_ENCODING", "")), given.get("Content-Length")
    if name is None or status.startswith("304") or (size and int(size) < MIN_BYTES):
        return vary, body
    changes = vary | {"Content-Encoding": name, "Content-Length": None, "Accept-Ranges": None}
    if tag := given.get("Etag"):
        changes["Etag"] = f"W/{tag.removeprefix('W/')}"  # the same representation in other bytes
    if environ["REQUEST_METHOD"] == "HEAD":
        return changes, body
    if size is None:
        return changes, ClosingIterator(pieces(body, ENCODINGS[name]), getattr(body, "close", None))
    with closing(ClosingIterator(body)):
        whole = compressed(b"".join(body), name)
    return changes | {"Content-Length": str(len(whole))}, [whole]


def is_text(headers: Mapping[str, str]) -> bool:
    """Whether these are headers of a text that may be compressed."""
    is_whole_and_plain = "Content-Encoding" not in headers and "Content-Range" not in headers
    return is_whole_and_plain and is_kind_of_text(headers.get("Content-Type", ""))


@lru_cache(maxsize=100)
def is_kind_of_text(content_type: str) -> bool:
    """Whether bodies of this type may be compressed. An event stream may not: it is read by many kinds of clients."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind != EVENT_STREAM and (kind.startswith("text/") or kind in TEXTS or kind.endswith("+json"))


@lru_cache(maxsize=100)
def best_encoding(accepted: str) -> str | None:
    """The encoding to use for an `Accept-Encoding`, by its q values; None for none."""
    if len(accepted) > MAX_ACCEPT_CHARACTERS:
        return None
    accept = parse_accept_header(accepted, Accept)
    best = max(ENCODINGS, key=accept.quality)
    return best if accept.quality(best) >= max(accept.quality("identity"), 0.001) else None


@lru_cache(maxsize=100)
def with_accept_encoding(vary: str) -> str:
    """Add Accept-Encoding to a `Vary`, unless it is there."""
    names = parse_set_header(vary)
    names.add("Accept-Encoding")
    return names.to_header()


def compressed(data: bytes, name: str, level: int = FAST) -> bytes:
    """Compress a whole body."""
    encoder = ENCODINGS[name].encoder(level, len(data))
    return encoder.compress(data) + encoder.flush()


def pieces(body: Iterable[bytes], encoding: Encoding) -> Iterator[bytes]:
    """Compress a body piece by piece."""
    encoder = encoding.encoder(FAST, -1)
    for piece in body:
        yield encoder.compress(piece) + encoder.flush(encoding.flush_mode)
    yield encoder.flush()
