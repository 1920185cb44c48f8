"""The stop of a supervisor: dispatched tasks may finish within the grace, and all others are given back."""

import logging
from math import inf

from application.ports.monitoring import DrainRequest
from application.supervisor.claimed_tasks import StopReason
from application.supervisor.linger import Linger
from application.supervisor.state import SupervisorState

FINAL_WRITE_SECONDS = 5.0
"""Seconds after the grace within which the last outcomes may still be written."""

log = logging.getLogger(__name__)


class Shutdown:
    """Begins with the first request; a second request ends the grace. A request to drain begins it without a grace.

    A request that was found in the storage counts like the first one of its kind, and never ends the grace. So does the
    end of the time for which a handler lingers.

    Only the supervisor's thread uses it, but requests may come from any thread and from a signal handler.
    """

    def __init__(self, state: SupervisorState, grace: float, linger: Linger) -> None:
        self._state = state
        self._grace = grace
        self._linger = linger
        self._requests = 0
        self._is_drain_requested = False
        self._grace_ends_at = inf
        self._is_grace_over = False

    def request(self) -> None:
        """Ask for the stop, or for its hurry."""
        self._requests += 1

    def request_drain(self) -> None:
        """Ask for a stop that waits until all runs have finished. A request after it begins the grace."""
        self._is_drain_requested = True

    def advance(self) -> None:
        """Do the next part of a stop that was requested: begin to drain, then stop the runs when the grace is over."""
        self._linger.advance()
        if self._is_told_to_drain() and not self._state.draining:
            log.info("stopping: running tasks may finish")
            self._state.draining = True
        if not self._is_told_to_stop():
            return
        now = self._state.clock.monotonic()
        self._state.draining = True
        if self._grace_ends_at == inf:
            log.info("stopping: running tasks may finish within %g s", self._grace)
            self._grace_ends_at = now + self._grace
        if self._requests > 1:
            self._grace_ends_at = min(now, self._grace_ends_at)
        if now >= self._grace_ends_at:
            self._is_grace_over = True
            self._stop_runs()

    def due_at(self) -> float:
        """Monotonic time at which the next part begins: the stop of a handler that lingers, the end of the grace, or
        the end of the time for the last writes; inf where it needs a request.
        """
        return min(self._linger.due_at(), self._grace_ends_at + (FINAL_WRITE_SECONDS if self._is_grace_over else 0))

    def seconds_left(self) -> float:
        """Seconds of the grace that are left; none before a stop, and after a second request."""
        if not self._state.draining or self._requests > 1:
            return 0.0
        return max(0.0, self._grace_ends_at - self._state.clock.monotonic())

    def is_overdue(self) -> bool:
        """Whether the time for the last writes is over."""
        return self._state.clock.monotonic() > self._grace_ends_at + FINAL_WRITE_SECONDS

    def _is_told_to_drain(self) -> bool:
        return self._is_drain_requested or self._state.drain_request is DrainRequest.UNLIMITED

    def _is_told_to_stop(self) -> bool:
        return self._requests > 0 or self._state.drain_request is DrainRequest.GRACE or self._linger.is_over

    def _stop_runs(self) -> None:
        for claimed in self._state.claimed_tasks.dispatched.values():
            if claimed.stop_reason is None:
                self._state.stop(claimed, StopReason.DRAINED)
