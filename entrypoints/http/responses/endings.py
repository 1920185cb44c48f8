"""The end of an answer: what is done once its last piece is sent."""

from collections.abc import Callable, Iterable, Iterator

from werkzeug.wsgi import ClosingIterator


def with_end(body: Iterable[bytes], end: Callable[[], None]) -> Iterable[bytes]:
    """The body, at whose end the function is called, however it ends."""
    return ClosingIterator(_pieces(body), [getattr(body, "close", _nothing), end])


def _pieces(body: Iterable[bytes]) -> Iterator[bytes]:
    yield from body


def _nothing() -> None:
    """Close a body that need not be closed."""
