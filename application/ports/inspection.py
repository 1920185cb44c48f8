"""Inspection: facts about the storage that an administrator can change, as opposed to what is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

OLD_TRANSACTION = timedelta(minutes=5)
"""The age from which a transaction counts as forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What the role of the service may do.

    - `may_create`: whether it may make tables in the schema.
    - `foreign_tables`: tables of the service that it may not change, since another role owns them.
    - `sees_all`: whether it sees the transactions of other roles.
    - `is_read_only`: whether transactions of the service cannot write.
    """

    role: str = ""
    schema: str = ""
    may_create: bool = True
    foreign_tables: Sequence[str] = ()
    sees_all: bool = True
    is_read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """The connections of the server.

    - `allowed`: how many the role of the service may have, if nothing else connects.
    - `used`: how many clients have now. `used_by_service`: those of them that processes of the service have.
    """

    allowed: int = 100
    used: int = 0
    used_by_service: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OldTransaction:
    """A transaction that is open since long ago, so that nothing that was deleted since then can be removed."""

    pid: int
    role: str
    application: str
    state: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedTransaction:
    """A transaction that was prepared long ago, and neither committed nor rolled back."""

    name: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was found.

    - `version`: the version of the server.
    - `unused_slots`: replication slots that keep rows of deleted tasks, and that nothing reads from.
    - `settings`: settings of the server by name, as its administrator writes them.
    """

    version: str = ""
    rights: Rights = Rights()
    connections: Connections = Connections()
    old_transactions: Sequence[OldTransaction] = ()
    prepared_transactions: Sequence[PreparedTransaction] = ()
    unused_slots: Sequence[str] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


class Inspector(Protocol):
    """Looks at the storage from outside."""

    def __call__(self) -> Inspection:
        """Look at it now. Raises StorageUnavailable: it is away."""
        ...
