"""The lifecycle of a task as one table: the statuses from which each verb may start."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Status(StrEnum):
    """The status of a task. A task that is delayed, or will be attempted again, is `waiting`."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the task has finished: only a retry leads to another status."""
        return self in FINAL


class Verb(StrEnum):
    """The transitions of a task."""

    CLAIM = "claim"
    SUCCEED = "succeed"
    FAIL = "fail"
    LOSE = "lose"
    RELEASE = "release"
    CANCEL = "cancel"
    SET_ASIDE = "set_aside"
    RETRY = "retry"
    UNBLOCK = "unblock"
    FAIL_BY_PARENT = "fail_by_parent"
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
        Verb.SET_ASIDE: frozenset({Status.WAITING, Status.RUNNING}),
        Verb.RETRY: frozenset({Status.FAILED, Status.CANCELLED}),
        Verb.UNBLOCK: frozenset({Status.WAITING}),
        Verb.FAIL_BY_PARENT: frozenset({Status.WAITING}),
        Verb.DELETE: frozenset({Status.WAITING, *FINAL}),
    }
)
