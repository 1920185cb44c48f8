"""How far a running task says that it is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """A share between 0 and 1, and a word on what is being done."""

    value: float
    message: str = ""
