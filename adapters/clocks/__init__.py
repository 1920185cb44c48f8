"""Clocks that need no database: the one of the host, and one for tests."""

from adapters.clocks.manual import ManualClock
from adapters.clocks.system import SystemClock

__all__ = ["ManualClock", "SystemClock"]
