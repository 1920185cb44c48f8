"""Set limits of a type in place of the declared ones, or remove them."""

from application.conflict_retry import retry_on_conflict
from application.known_types import KnownTypes
from application.ports.published_types import PublishedType
from application.ports.unit_of_work import Begin
from application.ports.wake_up import Notifier, Topic
from domain.ids import TypeName
from domain.limits import Override


class SetLimits:
    """Sets the override of one type. Raises UnknownType: no handler has published the type."""

    def __init__(self, begin: Begin, types: KnownTypes, notifier: Notifier) -> None:
        self._begin = begin
        self._types = types
        self._notifier = notifier

    @retry_on_conflict
    def __call__(self, type: TypeName, override: Override | None) -> PublishedType:
        """The type with the limits that hold from now on. None removes the override."""
        self._types.published(type)
        with self._begin() as work:
            if override is None:
                work.limits.remove(type)
            else:
                work.limits.set(type, override)
            work.commit()
        self._notifier.notify(Topic.LIMITS)
        return self._types.read_again(type)
