"""What many threads ask at the same moment is carried out together, by one of them for all."""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

from application.errors import StorageConflict, StorageUnavailable

Argument = TypeVar("Argument")
Result = TypeVar("Result")


class _Call(Generic[Argument, Result]):
    """One who has asked, and waits for the bell: it rings for an answer, or for taking the lead."""

    __slots__ = ("answers", "asked", "bell", "error", "leads")

    def __init__(self, asked: Argument) -> None:
        self.asked = asked
        self.leads = False
        self.answers: list[Result] = []
        self.error: StorageUnavailable | None = None
        self.bell = Lock()
        self.bell.acquire()


class Coalesced(Generic[Argument, Result]):
    """A function of one, made of one of many that answers in their order. Safe to use from many threads.

    The first who comes leads: nobody waits for others to come. Who comes meanwhile is carried out next, all together,
    so that everybody is answered by what began after they had asked. Where the storage is away all are told so; where
    anything else goes wrong for many, a StorageConflict for one, each tries alone.
    """

    def __init__(self, carry_out: Callable[[Sequence[Argument]], Sequence[Result]]) -> None:
        self._carry_out = carry_out
        self._lock = Lock()
        self._is_led = False
        self._waiting: list[_Call[Argument, Result]] = []

    def __call__(self, asked: Argument) -> Result:
        """The answer to this one."""
        call: _Call[Argument, Result] = _Call(asked)
        self._enqueue(call)
        if not call.leads:
            call.bell.acquire()
        return self._lead(call) if call.leads else self._answered(call)

    def _enqueue(self, call: _Call[Argument, Result]) -> None:
        with self._lock:
            if self._is_led:
                self._waiting.append(call)
            else:
                self._is_led = call.leads = True

    def _lead(self, own: _Call[Argument, Result]) -> Result:
        with self._lock:
            others, self._waiting = self._waiting, []
        try:
            self._answer([own, *others])
        finally:
            for call in others:
                call.bell.release()
            self._hand_over()
        return self._answered(own)

    def _answer(self, seats: Sequence[_Call[Argument, Result]]) -> None:
        try:
            answers = self._carry_out([call.asked for call in seats])
        except Exception as error:
            if len(seats) == 1:
                raise
            if isinstance(error, StorageUnavailable) and not isinstance(error, StorageConflict):
                for call in seats:
                    call.error = error
        else:
            for call, answer in zip(seats, answers, strict=True):
                call.answers.append(answer)

    def _hand_over(self) -> None:
        with self._lock:
            if not self._waiting:
                self._is_led = False
                return
            heir = self._waiting.pop(0)
        heir.leads = True
        heir.bell.release()

    def _answered(self, call: _Call[Argument, Result]) -> Result:
        if call.error:
            raise StorageUnavailable from call.error
        (answer,) = call.answers or self._carry_out([call.asked])
        return answer
