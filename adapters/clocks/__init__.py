"""Clocks."""

from adapters.clocks.manual import ManualClock
from adapters.clocks.system import SystemClock

__all__ = ["ManualClock", "SystemClock"]
