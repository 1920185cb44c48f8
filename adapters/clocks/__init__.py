"""Clocks."""

from adapters.clocks.manual import HeldClock
from adapters.clocks.system import SystemClock

__all__ = ["HeldClock", "SystemClock"]
