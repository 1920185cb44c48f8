"""The progress of a running task, as its function reports it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """The share that is done, between 0 and 1, and a text about the current step."""

    value: float
    message: str = ""

    def completed(self) -> "Progress":
        """All is done; the text stays."""
        return Progress(1.0, self.message)
