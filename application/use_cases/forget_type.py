"""Forget one type at once: a janitor would forget it only after it was abandoned for long."""

from application.conflict_retry import retry_on_conflict
from application.errors import TypeInUse
from application.known_types import KnownTypes
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin, UnitOfWork
from domain.ids import TypeName


class ForgetType:
    """Forgets a type that no live handler and no task has, with its schedule and its declared limits."""

    def __init__(self, begin: Begin, clock: Clock, types: KnownTypes) -> None:
        self._begin = begin
        self._clock = clock
        self._types = types

    @retry_on_conflict
    def __call__(self, name: TypeName) -> None:
        """After: the type is unknown until a handler publishes it again.

        Raises UnknownType: no handler has published it.
        Raises TypeInUse: a live handler or a task has it, or a row that would have to go is locked.
        """
        published = self._types.published(name)
        with self._begin() as work:
            if not work.types.forget(name, self._clock.now()):
                raise TypeInUse(name, _why(work, name, published.live))
            work.commit()


def _why(work: UnitOfWork, name: TypeName, is_live: bool) -> str:
    if is_live:
        return "a live handler has it, so stop that handler first, or take the function out of its files"
    if number := sum(work.listing.counts().get(name, {}).values()):
        return f"{number} of its tasks are kept, so cancel and delete them first, or let them expire"
    return "its schedule or a handler that had it is locked in the database, so try again"
