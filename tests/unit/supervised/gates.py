"""Doors that functions wait behind until a test opens them."""

from collections import defaultdict
from threading import Event

PATIENCE = 20
"""Seconds."""
entered: defaultdict[str, Event] = defaultdict(Event)
doors: defaultdict[str, Event] = defaultdict(Event)


def close_all() -> None:
    entered.clear()
    doors.clear()


def pass_through(name: str) -> None:
    """Set the door's `entered`, and wait until the test opens the door."""
    entered[name].set()
    assert doors[name].wait(PATIENCE)
