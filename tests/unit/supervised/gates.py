"""Doors that functions wait behind, so that a test decides when they go on."""

from collections import defaultdict
from threading import Event

PATIENCE = 20
entered: defaultdict[str, Event] = defaultdict(Event)
doors: defaultdict[str, Event] = defaultdict(Event)


def close_all() -> None:
    entered.clear()
    doors.clear()


def pass_through(name: str) -> None:
    """Say that somebody is there, and wait until the door is opened."""
    entered[name].set()
    assert doors[name].wait(PATIENCE)
