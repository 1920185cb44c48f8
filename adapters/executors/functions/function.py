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
    """What to call, for tasks of which type, and how they are to be run.

    `takes_whole` is for the hook, which is called with the id of the task and all its arguments as one dictionary.
    """

    type: TypeName
    call: Callable[..., Any]
    options: TaskOptions = field(default_factory=TaskOptions)
    takes_whole: bool = False

    @cached_property
    def arguments(self) -> Arguments:
        """What it takes. Made when it is first asked for, since that may import pydantic."""
        return WholeArguments(self.call) if self.takes_whole else NamedArguments(self.call)
