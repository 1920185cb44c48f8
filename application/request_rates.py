"""The rates of requests: each process takes a few of those that the storage allows a sender, for all together."""

from collections import OrderedDict
from dataclasses import dataclass, field
from math import ceil
from threading import Lock

from application.conflict_retry import retry_on_conflict
from application.errors import TooManyRequests
from application.ports.api_keys import Taken
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin
from domain.ids import Owner
from domain.rate import Rate

SHARE_SECONDS = 0.1
"""Seconds for whose requests a process asks at once."""
KEPT_SECONDS = 1.0
"""Seconds after which requests that were taken and not made are lost, and after which it asks again at least."""
MAX_SENDERS = 10_000


@dataclass(slots=True)
class _Share:
    """The requests of one sender that this process may still let in, and until when it knows that."""

    lock: Lock = field(default_factory=Lock)
    left: int = 0
    until: float = float("-inf")


class RequestRates:
    """Lets requests in by the rate of their sender. Thread-safe.

    Raises StorageUnavailable: it could not be asked.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock
        self._lock = Lock()
        self._shares: OrderedDict[Owner, _Share] = OrderedDict()

    def admit(self, owner: Owner, rate: Rate) -> None:
        """Count a request. Raises TooManyRequests: the rate does not allow it now."""
        share = self._share_of(owner)
        with share.lock:
            now = self._clock.monotonic()
            if now >= share.until:
                taken = self._take(owner, rate)
                share.left = taken.number
                share.until = now + (min(KEPT_SECONDS, taken.seconds_until_next) if not share.left else KEPT_SECONDS)
            if not share.left:
                raise TooManyRequests(max(1, ceil(share.until - now)))
            share.left -= 1
            if not share.left:
                share.until = now

    @retry_on_conflict
    def _take(self, owner: Owner, rate: Rate) -> Taken:
        wanted = max(1, int(rate.per_second * SHARE_SECONDS))
        with self._begin() as work:
            taken = work.api_keys.take(owner, rate, wanted, self._clock.now())
            work.commit()
        return taken

    def _share_of(self, owner: Owner) -> _Share:
        with self._lock:
            share = self._shares.setdefault(owner, _Share())
            self._shares.move_to_end(owner)
            while len(self._shares) > MAX_SENDERS:
                self._shares.popitem(last=False)
            return share
