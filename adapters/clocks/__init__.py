"""Clocks."""

from adapters.clocks.held import HeldClock
from adapters.clocks.system import SystemClock

__all__ = ["HeldClock", "SystemClock"]
