"""The lifecycle of a task as one table: which verb may start from which status."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Status(StrEnum):
    """Where a task stands. One that is delayed, or will be tried again, is `waiting`."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing happens to the task any more, unless somebody asks for a retry."""
        return self in FINAL


class Verb(StrEnum):
    """What may happen to a task."""

    CLAIM = "claim"
    SUCCEED = "succeed"
    FAIL = "fail"
    LOSE = "lose"
    RELEASE = "release"
    CANCEL = "cancel"
    RETRY = "retry"
    DELETE = "delete"


FINAL = frozenset({Status.DONE, Status.FAILED, Status.CANCELLED})

RULES: Mapping[Verb, frozenset[Status]] = MappingProxyType(
    {
        Verb.CLAIM: frozenset({Status.WAITING}),
        Verb.SUCCEED: frozenset({Status.RUNNING}),
        Verb.FAIL: frozenset({Status.RUNNING}),
        Verb.LOSE: frozenset({Status.RUNNING}),
        Verb.RELEASE: frozenset({Status.RUNNING}),
        Verb.CANCEL: frozenset({Status.WAITING, Status.RUNNING}),
        Verb.RETRY: frozenset({Status.FAILED, Status.CANCELLED}),
        Verb.DELETE: frozenset({Status.WAITING, *FINAL}),
    }
)
