"""A function of the user that serves a type of task."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from adapters.executors.functions.arguments import Arguments, NamedArguments, WholeArguments
from domain.ids import TypeName
from flask_tasks.decorator import TaskOptions


@dataclass(frozen=True)
class Function:
    """A callable, and how it serves the tasks of its type.

    - `type`: the name of the type.
    - `call`: the callable.
    - `options`: the options of its `@task`.
    - `takes_whole`: whether it is called with the id of the task and all its arguments as one dictionary, as
      `ExecuteWhenRunningTask` is.
    """

    type: TypeName
    call: Callable[..., Any]
    options: TaskOptions = field(default_factory=TaskOptions)
    takes_whole: bool = False

    @cached_property
    def arguments(self) -> Arguments:
        """The arguments that it takes. Made at the first use, since that may import pydantic."""
        return WholeArguments(self.call) if self.takes_whole else NamedArguments(self.call)
