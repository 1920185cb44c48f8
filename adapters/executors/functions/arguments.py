"""The arguments of a function: their JSON Schema, and the values that it is called with."""

import inspect
import json
import types
from collections.abc import Callable, Sequence
from typing import Any, Protocol, Union, get_args, get_origin, get_type_hints, is_typeddict

from adapters.executors.functions import hints
from adapters.executors.functions.checker import Checker, InvalidArguments, NameChecker
from flask_tasks import Progress

Call = tuple[list[Any], dict[str, Any]]
"""Positional and named arguments."""

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_ONLY_BY_NAME = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)


class Arguments(Protocol):
    """The arguments of one function."""

    @property
    def takes_progress(self) -> bool:
        """Whether the function has a parameter for a `Progress`."""
        ...

    def schema(self) -> dict[str, Any]:
        """JSON Schema 2020-12 of the arguments."""
        ...

    def bind(self, args: str, progress: Progress) -> Call:
        """Build the call's arguments from the arguments as JSON text.

        Raises InvalidArguments: the arguments do not fit the function.
        """
        ...


class NamedArguments:
    """Each member of the arguments is a parameter of the function.

    Raises TypeError: the function has a parameter that no name can fill.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        parameters = hints.parameters(function)
        _check_names_fill(parameters)
        self._progress_names = _progress_names(parameters)
        self.takes_progress = bool(self._progress_names)
        others = [each for each in parameters if each.name not in self._progress_names]
        self._positional = [each for each in parameters if each.kind is inspect.Parameter.POSITIONAL_ONLY]
        self._checker = _named_checker(others)

    def schema(self) -> dict[str, Any]:
        """An object with a property for each parameter, and further ones where the function takes `**kwargs`."""
        schema = self._checker.schema()
        is_open = schema.get("additionalProperties") is not False
        forbidden = dict.fromkeys(self._progress_names, False) if is_open else {}
        return schema | {"properties": schema.get("properties", {}) | forbidden}

    def bind(self, args: str, progress: Progress) -> Call:
        """Bind by name where that is possible; a parameter annotated `Progress` receives the progress."""
        values = dict(self._checker.convert(args))
        for name in self._progress_names:
            if name in values:
                raise InvalidArguments(f"$.{name}: there is no such argument")
            values[name] = progress
        return [values.pop(each.name, each.default) for each in self._positional], values


class WholeArguments:
    """The id of the task and all its arguments as one dictionary, which is passed on unconverted.

    The annotation of the second parameter says which dictionaries fit.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        parameters = hints.parameters(function)
        self._progress_names = _progress_names(parameters)
        self.takes_progress = bool(self._progress_names)
        others = [each for each in parameters if each.name not in self._progress_names]
        if len(others) != 2 or any(each.kind in _ONLY_BY_NAME for each in others):
            raise TypeError("it takes the id of the task and its arguments, (task_id, args)")
        self._checker = _whole_checker(others[1].annotation)

    def schema(self) -> dict[str, Any]:
        """The schema of the annotation, or of any object where there is no annotation."""
        return {"type": "object"} | (self._checker.schema() if self._checker else {})

    def bind(self, args: str, progress: Progress) -> Call:
        """Bind the id and the dictionary, once it is checked."""
        if self._checker:
            self._checker.convert(args)
        return [progress.task_id, json.loads(args)], dict.fromkeys(self._progress_names, progress)


def _check_names_fill(parameters: Sequence[inspect.Parameter]) -> None:
    """Check that all parameters can be filled. `*args` beside `**kwargs` passes on what another function takes."""
    by_kind = {each.kind: each.name for each in parameters}
    name = by_kind.get(inspect.Parameter.VAR_POSITIONAL)
    if name and inspect.Parameter.VAR_KEYWORD not in by_kind:
        raise TypeError(f"arguments have names, and none can fill *{name}: take a list instead, as {name}: list")


def _progress_names(parameters: Sequence[inspect.Parameter]) -> list[str]:
    return [each.name for each in parameters if _is_progress(each.annotation)]


def _is_progress(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, types.UnionType):
        return Progress in get_args(annotation)
    return annotation is Progress


def _named_checker(parameters: Sequence[inspect.Parameter]) -> Checker:
    named = [each for each in parameters if each.kind not in _VARIADIC]
    extra = next((each.annotation for each in parameters if each.kind is inspect.Parameter.VAR_KEYWORD), None)
    if all(each.annotation is Any for each in named) and extra in (None, Any):
        return NameChecker.of_parameters(named, takes_others=extra is Any)
    from adapters.executors.functions.annotations import parameter_checker

    return parameter_checker(named, extra)


def _whole_checker(annotation: Any) -> Checker | None:
    if annotation is Any:
        return None
    if is_typeddict(annotation) and set(get_type_hints(annotation).values()) <= {Any}:
        properties: dict[str, Any] = {key: {} for key in annotation.__annotations__}
        return NameChecker(properties, annotation.__required_keys__, takes_others=True)
    # Imported here because pydantic costs a child 8 MB and a tenth of a second, and most functions do not need it.
    from adapters.executors.functions.annotations import AnnotationChecker

    return AnnotationChecker(annotation)
