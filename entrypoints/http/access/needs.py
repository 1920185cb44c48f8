"""Needs: the access that an operation or a page asks of its sender. Each declares its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from application.errors import Forbidden
from domain.access import Access, Scope

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """The access that is needed.

    - `scope`: None if any sender will do that has a key.
    - `is_public`: whether the sender needs no key at all.
    - `shows_more`: whether a public operation shows more to a sender who has a key.
    - `is_public_in_outage`: whether the sender needs no key while the storage is away, so that nothing of it is shown.
    - `of_all`: whether the operation shows or changes what belongs to all, so that no sender may use it who sees only
      its own tasks. Other operations name a task or batch in their path, or search by a filter: both are narrowed.
    """

    scope: Scope | None = None
    is_public: bool = False
    shows_more: bool = False
    is_public_in_outage: bool = False
    of_all: bool = False

    def check(self, access: Access) -> None:
        """Raises Forbidden: the access does not suffice."""
        if self.scope is not None and not access.may(self.scope):
            raise Forbidden(f"lacks the scope {self.scope}")
        if self.of_all and access.own_only:
            raise Forbidden("sees only its own tasks, and this is about those of all")

    def is_met_by(self, access: Access) -> bool:
        """Whether the access suffices."""
        try:
            self.check(access)
        except Forbidden:
            return False
        return True


PUBLIC = Need(is_public=True)
PUBLIC_IN_PART = Need(is_public=True, shows_more=True)
ANY_KEY = Need()
SUBMIT = Need(scope=Scope.SUBMIT)
READ = Need(scope=Scope.READ)
READ_ALL = Need(scope=Scope.READ, of_all=True)
MONITOR = Need(scope=Scope.READ, of_all=True, is_public_in_outage=True)
MANAGE = Need(scope=Scope.MANAGE)
MANAGE_ALL = Need(scope=Scope.MANAGE, of_all=True)
ADMIN = Need(scope=Scope.ADMIN)

_ATTRIBUTE = "needs"


def needing(need: Need, view: View) -> View:
    """Note the need at the view."""
    setattr(view, _ATTRIBUTE, need)
    return view


def need_of(view: Callable[..., Any]) -> Need:
    """The need of a view. One that declares none is for administrators alone."""
    need: Need = getattr(view, _ATTRIBUTE, ADMIN)
    return need
