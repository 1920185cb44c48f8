"""A kind of task, as the handlers that can run it publish it."""

from dataclasses import dataclass, field

from domain.ids import DEFAULT_TYPE, TypeName
from domain.limits import NO_LIMITS, Limits
from domain.options import Options
from domain.schedule import Schedule

ANY_OBJECT = '{"type":"object"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskType:
    """The name of a type, its description, the JSON Schema of its arguments as text, and its default options.

    `result_schema`: the JSON Schema of its results as text; None where nothing is said of them.
    `retries_timeout`: whether an attempt that exceeded its timeout may be repeated.
    `schedule`: when it recurs; None if it does not.
    `limits`: those that its function declares.
    """

    name: TypeName
    description: str = ""
    schema: str = ANY_OBJECT
    result_schema: str | None = None
    options: Options = field(default_factory=Options)
    retries_timeout: bool = True
    schedule: Schedule | None = None
    limits: Limits = NO_LIMITS


DEFAULT = TaskType(name=DEFAULT_TYPE, description="Run the function ExecuteWhenRunningTask.")
"""The type `default`, which is known even if no handler has published it."""
