"""An outbox: the settlements of one lane that are not written yet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from domain.settlement import Settlement


@dataclass(slots=True)
class Outbox:
    """Settlements that have to be written.

    - `fresh`: not tried yet.
    - `writing`: those of the call that is under way.
    - `busy`: set aside, since their rows were locked.
    """

    fresh: list[Settlement] = field(default_factory=list)
    writing: Sequence[Settlement] = ()
    busy: list[Settlement] = field(default_factory=list)

    def __iter__(self) -> Iterator[Settlement]:
        return chain(self.fresh, self.writing, self.busy)

    def recover_unanswered(self) -> None:
        """Set the settlements of a call aside that ended without an answer. Writing them twice does no harm."""
        self.busy.extend(self.writing)
        self.writing = ()

    def __len__(self) -> int:
        return len(self.fresh) + len(self.writing) + len(self.busy)
