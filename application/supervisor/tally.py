"""The tally of a supervisor: what only its process knows, for a monitor."""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from math import inf

from domain.ids import Hold
from domain.settlement import Settlement

BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Upper bounds of the sizes of batches, in tasks."""
LAGS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""Upper bounds of lags, in seconds."""


@dataclass(slots=True)
class Histogram:
    """Counts values by upper bounds. `numbers` has one number more than there are bounds: of the values beyond them."""

    bounds: Sequence[float]
    numbers: list[int] = field(init=False)
    sum: float = 0.0

    def __post_init__(self) -> None:
        self.numbers = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        """Count a value."""
        self.numbers[bisect_left(self.bounds, value)] += 1
        self.sum += value


@dataclass(slots=True)
class Tally:
    """Written by the supervisor's thread, and read by any.

    - `claims`: the sizes of claims that took any task. - `settlements`: the sizes of batches of settlements.
    - `lags`: the seconds between the ends of runs and their settlements.
    - `late`: the outcomes that were refused, since the task was not held any more.
    - `unstorable`: the outcomes of which the storage took nothing.
    - `renewed_at`: the monotonic time of the last renewal of the leases.
    """

    claims: Histogram = field(default_factory=lambda: Histogram(BATCH_SIZES))
    settlements: Histogram = field(default_factory=lambda: Histogram(BATCH_SIZES))
    lags: Histogram = field(default_factory=lambda: Histogram(LAGS))
    late: int = 0
    unstorable: int = 0
    renewed_at: float = -inf
    _ended_at: dict[Hold, float] = field(default_factory=dict)

    def record_claim(self, tasks: int) -> None:
        """Count a claim, unless it took nothing."""
        if tasks:
            self.claims.add(tasks)

    def record_end(self, hold: Hold, now: float) -> None:
        """Note that a run has ended, at a monotonic time."""
        self._ended_at[hold] = now

    def record_settled(self, written: Collection[Settlement], now: float) -> None:
        """Count a batch of settlements that have had their answer, and the lags of those that ended a run."""
        if written:
            self.settlements.add(len(written))
        for settlement in written:
            ended_at = self._ended_at.pop(settlement.hold, None)
            if ended_at is not None:
                self.lags.add(now - ended_at)
