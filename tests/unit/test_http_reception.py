"""Receiving of bodies: deadlines, the least rate, and places that bodies give to each other."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from queue import SimpleQueue
from typing import IO, cast

import pytest
from werkzeug.exceptions import ServiceUnavailable

from entrypoints.http.limits import reception
from entrypoints.http.limits.reception import PIECE_BYTES, LateBody, Pace, Reception, Receptions
from tests.concurrency import until

PATIENT = Pace(grace_seconds=60, undisturbed_seconds=60)
HURRIED = Pace(grace_seconds=60, undisturbed_seconds=0)


class Line:
    """A stream whose reader waits until the client sends something; `None` is its end."""

    def __init__(self) -> None:
        self.sent: SimpleQueue[bytes | None] = SimpleQueue()
        self.reads = 0

    def read(self, size: int) -> bytes:
        self.reads += 1
        return self.sent.get() or b""


def stream(line: Line) -> IO[bytes]:
    return cast("IO[bytes]", line)


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def receive(receptions: Receptions, line: Line) -> bytes:
    with receptions.place() as body:
        return body.read(stream(line), 10 * PIECE_BYTES)


def start(background: ThreadPoolExecutor, receptions: Receptions) -> tuple[Line, Future[bytes]]:
    """A body of which nothing has come, and the future of its text."""
    line = Line()
    answer = background.submit(receive, receptions, line)
    until(lambda: line.reads)
    return line, answer


class TestPace:
    @pytest.mark.parametrize("size", [1, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES])
    def test_a_body_is_read_whole(self, size: int) -> None:
        data = bytes(range(256)) * (size // 256 + 1)
        assert Reception(PATIENT).read(BytesIO(data), size) == data[:size]

    def test_a_body_that_comes_after_its_deadline_is_late(self) -> None:
        with pytest.raises(LateBody) as refusal:
            Reception(Pace(grace_seconds=-1, bytes_per_second=100)).read(BytesIO(b"x" * 10), 10)
        assert refusal.value.code == 408
        assert ("Connection", "close") in refusal.value.get_headers()

    def test_a_body_whose_connection_ends_after_its_deadline_is_late(self) -> None:
        with pytest.raises(LateBody):
            Reception(Pace(grace_seconds=-1)).read(BytesIO(b""), 20)

    def test_each_byte_that_has_come_gives_time_for_the_next(self) -> None:
        pace = Pace(grace_seconds=-1, bytes_per_second=1)
        assert Reception(pace).read(BytesIO(b"x" * 60), 60) == b"x" * 60

    def test_a_body_that_gave_its_place_away_is_late_and_is_not_kept(self, background: ThreadPoolExecutor) -> None:
        line, body = Line(), Reception(PATIENT)
        line.sent.put(b"x" * 10)
        answer = background.submit(body.read, stream(line), 20)
        until(lambda: line.reads == 2)
        body.give_way()
        assert body._pieces == []
        line.sent.put(b"y")
        with pytest.raises(LateBody):
            answer.result(10)


class TestPlaces:
    @pytest.mark.parametrize("places", [1, 4])
    def test_a_body_that_is_behind_gives_its_place_to_another(
        self, background: ThreadPoolExecutor, places: int
    ) -> None:
        receptions = Receptions(places, HURRIED)
        slow = [start(background, receptions) for _ in range(places)]
        for _ in range(3):
            # The first one takes a place, which the others find free.
            fast = Line()
            fast.sent.put(b"fast")
            fast.sent.put(None)
            assert receive(receptions, fast) == b"fast"
        for line, _ in slow:
            line.sent.put(b"slow")
            line.sent.put(None)
        answers = [answer.exception(10) for _, answer in slow]
        assert [type(error) for error in answers if error] == [LateBody]
        assert not receptions._present | receptions._behind

    def test_bodies_without_a_place_are_bounded(
        self, background: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reception, "MAX_BODIES_BEHIND", 1)
        receptions = Receptions(1, HURRIED, max_wait=0.01)
        lines = [start(background, receptions)[0] for _ in range(2)]
        with pytest.raises(ServiceUnavailable):
            receive(receptions, Line())
        for line in lines:
            line.sent.put(None)

    def test_bodies_in_time_keep_their_places(self, background: ThreadPoolExecutor) -> None:
        receptions = Receptions(1, PATIENT, max_wait=0.01)
        line, answer = start(background, receptions)
        with pytest.raises(ServiceUnavailable) as refusal:
            receive(receptions, Line())
        assert refusal.value.retry_after == 1
        line.sent.put(b"text")
        line.sent.put(None)
        assert answer.result(10) == b"text"

    def test_a_body_waits_for_a_place_that_becomes_free(self, background: ThreadPoolExecutor) -> None:
        receptions = Receptions(1, PATIENT, max_wait=60)
        (line, answer), other = start(background, receptions), Line()
        waiting = background.submit(receive, receptions, other)
        other.sent.put(None)
        assert not waiting.done()
        line.sent.put(None)
        assert (answer.result(10), waiting.result(10)) == (b"", b"")

    def test_a_body_that_was_received_keeps_its_place_while_it_is_processed(self) -> None:
        receptions = Receptions(1, HURRIED, max_wait=0)
        with receptions.place() as body:
            assert body.read(BytesIO(b"x"), 1) == b"x"
            with pytest.raises(ServiceUnavailable):
                receive(receptions, Line())
