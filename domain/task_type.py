"""A kind of task, as the handlers that can run it publish it."""

from dataclasses import dataclass, field

from domain.ids import DEFAULT_TYPE, TypeName
from domain.options import Options
from domain.schedule import Schedule

ANY_OBJECT = '{"type":"object"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskType:
    """Its name, what it does, the JSON Schema of its arguments as text, and the options that its tasks have by default.

    `retries_timeout` says whether an attempt that took too long may be repeated, `schedule` when it recurs, if it does.
    """

    name: TypeName
    description: str = ""
    schema: str = ANY_OBJECT
    options: Options = field(default_factory=Options)
    retries_timeout: bool = True
    schedule: Schedule | None = None


DEFAULT = TaskType(name=DEFAULT_TYPE, description="Run the function ExecuteWhenRunningTask.")
"""The type that is always known, published or not."""
