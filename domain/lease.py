"""The lease of a running task: the handler that holds it, and until when."""

from dataclasses import dataclass
from datetime import datetime

from domain.ids import HandlerId
from domain.instants import after, aware


@dataclass(frozen=True, slots=True)
class Lease:
    """After `until` a rescuer may take the task back; until one does, the handler still holds it."""

    handler: HandlerId
    until: datetime

    @classmethod
    def granted(cls, handler: HandlerId, now: datetime, seconds: float) -> "Lease":
        """A lease of that many seconds from now."""
        return cls(handler, after(now, seconds))

    def has_lapsed(self, now: datetime) -> bool:
        """Whether the task may be taken back."""
        return self.until < aware(now)
