"""Access: what the sender of a request may do, and which tasks it may see."""

from dataclasses import dataclass
from enum import StrEnum

from domain.ids import Owner, TypeName
from domain.rate import Rate


class Scope(StrEnum):
    """A kind of operation. ADMIN includes the others."""

    SUBMIT = "submit"
    READ = "read"
    MANAGE = "manage"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The rights of a sender.

    - `owner`: to whom its tasks belong; None where the API is open.
    - `types`: the types whose tasks it may submit; None is any type.
    - `own_only`: whether it sees and changes only its own tasks.
    - `rate`: the limit of its requests; None without one.
    - `max_waiting`: the tasks of its owner that may wait; None without a limit.
    """

    owner: Owner | None = None
    scopes: frozenset[Scope] = frozenset(Scope)
    types: frozenset[TypeName] | None = None
    own_only: bool = False
    rate: Rate | None = None
    max_waiting: int | None = None

    def may(self, scope: Scope) -> bool:
        """Whether it may use the operations of that scope."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def may_submit(self, type: TypeName) -> bool:
        """Whether it may submit tasks of that type."""
        return self.types is None or type in self.types

    @property
    def sees_only(self) -> Owner | None:
        """The owner whose tasks alone it sees; None if it sees all."""
        return self.owner if self.own_only else None


OPEN = Access()
"""The access of everybody where the API is open."""
