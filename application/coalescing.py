"""What many threads ask at the same moment is carried out together, by one of them for all."""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

from application.errors import StorageConflict, StorageUnavailable

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class _Seat(Generic[Asked, Answer]):
    """One who has asked, and waits for the bell: it rings for an answer, or for taking the lead."""

    __slots__ = ("answers", "asked", "bell", "error", "leads")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.leads = False
        self.answers: list[Answer] = []
        self.error: StorageUnavailable | None = None
        self.bell = Lock()
        self.bell.acquire()


class Together(Generic[Asked, Answer]):
    """A function of one, made of one of many that answers in their order. Safe to use from many threads.

    The first who comes leads: nobody waits for others to come. Who comes meanwhile is carried out next, all together,
    so that everybody is answered by what began after they had asked. Where the storage is away all are told so; where
    anything else goes wrong for many, a StorageConflict for one, each tries alone.
    """

    def __init__(self, carry_out: Callable[[Sequence[Asked]], Sequence[Answer]]) -> None:
        self._carry_out = carry_out
        self._lock = Lock()
        self._is_led = False
        self._waiting: list[_Seat[Asked, Answer]] = []

    def __call__(self, asked: Asked) -> Answer:
        """The answer to this one."""
        seat: _Seat[Asked, Answer] = _Seat(asked)
        self._sit_down(seat)
        if not seat.leads:
            seat.bell.acquire()
        return self._led(seat) if seat.leads else self._answered(seat)

    def _sit_down(self, seat: _Seat[Asked, Answer]) -> None:
        with self._lock:
            if self._is_led:
                self._waiting.append(seat)
            else:
                self._is_led = seat.leads = True

    def _led(self, own: _Seat[Asked, Answer]) -> Answer:
        with self._lock:
            others, self._waiting = self._waiting, []
        try:
            self._answer([own, *others])
        finally:
            for seat in others:
                seat.bell.release()
            self._hand_over()
        return self._answered(own)

    def _answer(self, seats: Sequence[_Seat[Asked, Answer]]) -> None:
        try:
            answers = self._carry_out([seat.asked for seat in seats])
        except Exception as error:
            if len(seats) == 1:
                raise
            if isinstance(error, StorageUnavailable) and not isinstance(error, StorageConflict):
                for seat in seats:
                    seat.error = error
        else:
            for seat, answer in zip(seats, answers, strict=True):
                seat.answers.append(answer)

    def _hand_over(self) -> None:
        with self._lock:
            if not self._waiting:
                self._is_led = False
                return
            heir = self._waiting.pop(0)
        heir.leads = True
        heir.bell.release()

    def _answered(self, seat: _Seat[Asked, Answer]) -> Answer:
        if seat.error:
            raise StorageUnavailable from seat.error
        (answer,) = seat.answers or self._carry_out([seat.asked])
        return answer
