"""Request coalescing: the calls that many threads make at the same moment are carried out together by one of them."""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

from application.errors import StorageConflict, StorageUnavailable

Argument = TypeVar("Argument")
Result = TypeVar("Result")


class _Call(Generic[Argument, Result]):
    """The call of one thread.

    `leads`: whether this thread carries out the next calls.
    `results`: its result, once it has one.
    `error`: the error that all calls carried out with it have.
    `blocked`: a lock that is held while the thread waits, until its call was carried out or it leads.
    """

    __slots__ = ("argument", "blocked", "error", "leads", "results")

    def __init__(self, argument: Argument) -> None:
        self.argument = argument
        self.leads = False
        self.results: list[Result] = []
        self.error: StorageUnavailable | None = None
        self.blocked = Lock()
        self.blocked.acquire()


class Coalesced(Generic[Argument, Result]):
    """A function of one argument, made from a function of many that returns results in their order. Thread-safe.

    The first caller leads, and waits for no other calls. Calls that come meanwhile are carried out next, all together,
    so each result comes from a step that began after the call.

    Raises StorageUnavailable: the storage is away, for every call of the step.
    After any other error of a joint step, a StorageConflict included, each caller carries out its own call alone.
    """

    def __init__(self, carry_out: Callable[[Sequence[Argument]], Sequence[Result]]) -> None:
        self._carry_out = carry_out
        self._lock = Lock()
        self._is_led = False
        self._waiting: list[_Call[Argument, Result]] = []

    def __call__(self, argument: Argument) -> Result:
        """The result for this argument."""
        call: _Call[Argument, Result] = _Call(argument)
        self._enqueue(call)
        if not call.leads:
            call.blocked.acquire()
        return self._lead(call) if call.leads else self._result(call)

    def _enqueue(self, call: _Call[Argument, Result]) -> None:
        with self._lock:
            if self._is_led:
                self._waiting.append(call)
            else:
                self._is_led = call.leads = True

    def _lead(self, own: _Call[Argument, Result]) -> Result:
        """Carry out this call with all that wait, then let the first call that came meanwhile lead."""
        with self._lock:
            others, self._waiting = self._waiting, []
        try:
            self._carry_out_together([own, *others])
        finally:
            for call in others:
                call.blocked.release()
            self._hand_over()
        return self._result(own)

    def _carry_out_together(self, calls: Sequence[_Call[Argument, Result]]) -> None:
        try:
            results = self._carry_out([call.argument for call in calls])
        except Exception as error:
            if len(calls) == 1:
                raise
            if isinstance(error, StorageUnavailable) and not isinstance(error, StorageConflict):
                for call in calls:
                    call.error = error
        else:
            for call, result in zip(calls, results, strict=True):
                call.results.append(result)

    def _hand_over(self) -> None:
        with self._lock:
            if not self._waiting:
                self._is_led = False
                return
            next_leader = self._waiting.pop(0)
        next_leader.leads = True
        next_leader.blocked.release()

    def _result(self, call: _Call[Argument, Result]) -> Result:
        """The result of this call, which is carried out alone if the joint step gave none."""
        if call.error:
            raise StorageUnavailable from call.error
        (result,) = call.results or self._carry_out([call.argument])
        return result
