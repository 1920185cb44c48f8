"""What a function takes: as JSON Schema, and as what it is called with."""

import inspect
import json
import types
from collections.abc import Callable, Sequence
from typing import Any, Protocol, Union, get_args, get_origin, get_type_hints, is_typeddict

from adapters.executors.functions.checker import Checker, InvalidArguments, Names
from flask_tasks import Progress

Call = tuple[list[Any], dict[str, Any]]
"""Positional and named arguments."""

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Arguments(Protocol):
    """The arguments of one function."""

    @property
    def takes_progress(self) -> bool:
        """Whether the function asks for one."""
        ...

    def schema(self) -> dict[str, Any]:
        """What may be sent, as JSON Schema 2020-12."""
        ...

    def bind(self, sent: str, progress: Progress) -> Call:
        """What to call the function with. InvalidArguments if what was sent does not fit."""
        ...


class NamedArguments:
    """Each member of what was sent is a parameter of its own."""

    def __init__(self, function: Callable[..., Any]) -> None:
        parameters = _parameters(function)
        self._progress = _given_by_the_handler(parameters)
        self.takes_progress = bool(self._progress)
        sent = [each for each in parameters if each.name not in self._progress]
        self._positional = [each for each in sent if each.kind is inspect.Parameter.POSITIONAL_ONLY]
        self._checker = _named_checker(sent)

    def schema(self) -> dict[str, Any]:
        """An object with a property for each parameter, and others where the function takes `**kwargs`."""
        schema = self._checker.schema()
        forbidden = dict.fromkeys(self._progress, False) if schema.get("additionalProperties") is not False else {}
        return schema | {"properties": schema.get("properties", {}) | forbidden}

    def bind(self, sent: str, progress: Progress) -> Call:
        """By name where that is possible, with a progress for the parameter that asks for one."""
        values = dict(self._checker.converted(sent))
        for name in self._progress:
            if name in values:
                raise InvalidArguments(f"$.{name}: there is no such argument")
            values[name] = progress
        return [values.pop(each.name, each.default) for each in self._positional], values


class WholeArguments:
    """What was sent is one argument, as it came, after the id of the task. Its annotation says what fits."""

    def __init__(self, function: Callable[..., Any]) -> None:
        parameters = _parameters(function)
        self._progress = _given_by_the_handler(parameters)
        self.takes_progress = bool(self._progress)
        taken = [each.annotation for each in parameters if each.name not in self._progress]
        if len(taken) != 2:
            raise TypeError("it takes the id of the task and its arguments, (task_id, args)")
        self._checker = _whole_checker(taken[1])

    def schema(self) -> dict[str, Any]:
        """That of the annotation, of any object where there is none."""
        return {"type": "object"} | (self._checker.schema() if self._checker else {})

    def bind(self, sent: str, progress: Progress) -> Call:
        """The id and the whole."""
        if self._checker:
            self._checker.converted(sent)
        return [progress.task_id, json.loads(sent)], dict.fromkeys(self._progress, progress)


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """With their annotations resolved, and Any where there is none."""
    hints = get_type_hints(inspect.unwrap(function), include_extras=True)
    signature = inspect.signature(function)
    return [each.replace(annotation=hints.get(name, Any)) for name, each in signature.parameters.items()]


def _given_by_the_handler(parameters: Sequence[inspect.Parameter]) -> list[str]:
    return [each.name for each in parameters if _is_progress(each.annotation)]


def _is_progress(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, types.UnionType):
        return Progress in get_args(annotation)
    return annotation is Progress


def _named_checker(parameters: Sequence[inspect.Parameter]) -> Checker:
    named = [each for each in parameters if each.kind not in _VARIADIC]
    others = next((each.annotation for each in parameters if each.kind is inspect.Parameter.VAR_KEYWORD), None)
    if all(each.annotation is Any for each in named) and others in (None, Any):
        return Names.of_parameters(named, takes_others=others is Any)
    from adapters.executors.functions.annotations import of_parameters

    return of_parameters(named, others)


def _whole_checker(annotation: Any) -> Checker | None:
    if annotation is Any:
        return None
    if is_typeddict(annotation) and set(get_type_hints(annotation).values()) <= {Any}:
        return Names({key: {} for key in annotation.__annotations__}, annotation.__required_keys__, takes_others=True)
    # pydantic costs a child 8 MB and a tenth of a second: only who has need of it pays for it.
    from adapters.executors.functions.annotations import Annotations

    return Annotations(annotation)
