"""The identifiers of tasks, types, handlers and claims."""

from typing import NamedTuple, NewType

TaskId = NewType("TaskId", int)
TypeName = NewType("TypeName", str)
HandlerId = NewType("HandlerId", str)
Claim = NewType("Claim", int)
IdempotencyKey = NewType("IdempotencyKey", str)


class Hold(NamedTuple):
    """A task under one of its claims. Every write of a running task must name it."""

    task: TaskId
    claim: Claim


DEFAULT_TYPE = TypeName("default")
