"""The names by which the service tells its things apart."""

from typing import NamedTuple, NewType

TaskId = NewType("TaskId", int)
TypeName = NewType("TypeName", str)
HandlerId = NewType("HandlerId", str)
Claim = NewType("Claim", int)
IdempotencyKey = NewType("IdempotencyKey", str)


class Hold(NamedTuple):
    """A task under one of its claims: what a handler holds, and what every write of a running task must name."""

    task: TaskId
    claim: Claim


DEFAULT_TYPE = TypeName("default")
