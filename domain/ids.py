"""The identifiers of tasks, batches, types, lanes, owners, API keys, handlers, janitors and claims."""

from typing import NamedTuple, NewType

TaskId = NewType("TaskId", int)
TypeName = NewType("TypeName", str)
HandlerId = NewType("HandlerId", str)
JanitorId = NewType("JanitorId", str)
Claim = NewType("Claim", int)
IdempotencyKey = NewType("IdempotencyKey", str)
Lane = NewType("Lane", str)
BatchId = NewType("BatchId", int)
ApiKeyId = NewType("ApiKeyId", str)
Owner = NewType("Owner", str)


class Hold(NamedTuple):
    """A task under one of its claims, by one handler. Every write of a running task must name it.

    The number of the claim alone is not enough: a failover may lose the claim, or the task, and both numbers are then
    given again.
    """

    task: TaskId
    claim: Claim
    handler: HandlerId | None


NO_LANE = Lane("")
"""The lane of the tasks that lack the argument which names lanes."""
DEFAULT_TYPE = TypeName("default")
