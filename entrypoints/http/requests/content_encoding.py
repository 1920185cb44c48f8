"""Compressed bodies of requests: decompressed up to the limit of the body, whatever they would become."""

import zlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import zstandard
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

SLICE_BYTES = 256
"""Compressed bytes that are decompressed at once. They become 8 MiB at most, as zstd may repeat a byte 128 Ki times."""
MAX_WINDOW_BYTES = 8 * 1024 * 1024
"""Memory that a frame of zstd may need: that which RFC 9659 allows."""
IDENTITY = "identity"


class UnknownEncoding(UnsupportedMediaType):
    """The body has another content encoding."""

    def get_headers(self, *args: Any, **more: Any) -> list[tuple[str, str]]:
        """Name the encodings that a client may use."""
        return [*super().get_headers(*args, **more), ("Accept-Encoding", ", ".join(DECODERS))]


class Decoder(Protocol):
    """A decompressor of one body."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


DECODERS: Mapping[str, Callable[[], Decoder]] = {
    "gzip": lambda: zlib.decompressobj(16 + zlib.MAX_WBITS),
    "zstd": lambda: zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompressobj(),
}


def check_encoding(encoding: str) -> None:
    """Raises UnknownEncoding: bodies of this encoding are not decompressed."""
    if encoding != IDENTITY and encoding not in DECODERS:
        raise UnknownEncoding(f"the content encoding of the body must be {' or '.join(DECODERS)}, if it has one")


def decompressed(data: bytes, encoding: str, max_bytes: int) -> bytes:
    """Decompress a body.

    - Raises BadRequest: the body is not of this encoding, or incomplete.
    - Raises RequestEntityTooLarge: it becomes longer than `max_bytes`.
    """
    decoder, pieces, size = DECODERS[encoding](), list[bytes](), 0
    for start in range(0, len(data), SLICE_BYTES):
        pieces.append(_piece(decoder, data[start : start + SLICE_BYTES], encoding))
        size += len(pieces[-1])
        if size > max_bytes:
            raise RequestEntityTooLarge(f"the body has more than {max_bytes} bytes when it is decompressed")
        if decoder.eof and (decoder.unused_data or start + SLICE_BYTES < len(data)):
            raise BadRequest(f"the body goes on after the end of its {encoding}")
    if not decoder.eof:
        raise BadRequest(f"the {encoding} of the body is incomplete")
    return b"".join(pieces)


def _piece(decoder: Decoder, data: bytes, encoding: str) -> bytes:
    try:
        return decoder.decompress(data)
    except (zlib.error, zstandard.ZstdError) as error:
        raise BadRequest(f"the body is not valid {encoding}: {error}") from None
