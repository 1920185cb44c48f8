"""The backoff between two attempts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff in seconds: `first` after the first attempt, then `factor` times the last one, up to `cap`.

    `spread`: the largest share of a delay that jitter takes away.
    """

    first: float = 1.0
    factor: float = 2.0
    cap: float = 3600.0
    spread: float = 0.2

    def delay(self, attempt: int, jitter: float) -> float:
        """Seconds to wait after that attempt; `jitter` is from 0 to 1."""
        try:
            full = min(self.first * self.factor ** (attempt - 1), self.cap)
        except OverflowError:
            full = self.cap
        return full * (1 - self.spread * jitter)
