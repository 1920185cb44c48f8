"""How far claims have got in the lines of waiting tasks, so that the next pass over what they have left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from application.ports.queue import ClaimedRecord, Cursor
from domain.ids import TypeName

MAX_CURSORS = 1000
SECONDS_PER_CLAIM_SECOND = 10
"""A claim from the beginning comes again after so many times as long as it took: a tenth of the time may go to it."""
MAX_AGE_SECONDS = 5.0
"""Seconds after which it comes at the latest: one that took long may have waited for a disk or a network, just once."""


@dataclass(slots=True)
class ClaimCursors:
    """What was claimed leaves dead entries behind, which nobody can remove while somebody may still see them.

    One session that keeps a snapshot open is enough: a dump, or one that was forgotten. What has come to stand before a
    mark meanwhile (it was given back, its commit was slow) is found by a claim from the beginning, that is without
    marks.
    """

    _last: dict[tuple[TypeName, int], Cursor] = field(default_factory=dict)
    _good_until: float = -inf

    def usable(self, now: float) -> Mapping[tuple[TypeName, int], Cursor]:
        """Those for a claim that is sent now; none if it is to be one from the beginning."""
        return dict(self._last) if now < self._good_until else {}

    def advance(self, claimed: Sequence[ClaimedRecord]) -> None:
        """They were in their lines in this order."""
        if len(self._last) > MAX_CURSORS:
            self._last.clear()
        last = {(task.type, task.priority): task for task, _ in claimed}
        self._last |= {pair: Cursor(task.run_at, task.id) for pair, task in last.items()}

    def full_claim_ended(self, now: float, seconds: float) -> None:
        """A claim from the beginning has ended, and took so long."""
        self._good_until = now + min(SECONDS_PER_CLAIM_SECOND * seconds, MAX_AGE_SECONDS)

    def full_claim_due_in(self, now: float) -> float:
        """Seconds until the next claim from the beginning; 0 or less if it may be the next."""
        return self._good_until - now
