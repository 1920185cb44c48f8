"""Switches of a type: each changes one thing that an operator has set, and leaves the others as they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Chosen = Mapping[str, Any]
"""The limits that an operator has set, by name."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch: its change, and the sentence that tells of it, behind the name of the type."""

    change: Callable[[Chosen], Chosen]
    sentence: str


def _pause(chosen: Chosen) -> Chosen:
    return {**chosen, "paused": True}


def _resume(chosen: Chosen) -> Chosen:
    """No task at once is a pause as well."""
    return {name: value for name, value in chosen.items() if name != "paused" and (name, value) != ("at_once", 0)}


def _refuse(chosen: Chosen) -> Chosen:
    return {**chosen, "accepting": False}


def _accept(chosen: Chosen) -> Chosen:
    return {name: value for name, value in chosen.items() if name != "accepting"}


SWITCHES: Mapping[str, Switch] = {
    "pause": Switch(_pause, "is paused: nothing of it starts."),
    "resume": Switch(_resume, "goes on."),
    "refuse": Switch(_refuse, "accepts no more tasks; those that it has go on."),
    "accept": Switch(_accept, "accepts tasks again."),
}
"""The switches by the last part of their addresses."""
