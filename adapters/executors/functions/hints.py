"""The resolved annotations of a function."""

import inspect
import sys
import types
from collections.abc import Callable, Mapping, Set
from typing import Any, get_type_hints

RESULT = "return"


def parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters with resolved annotations; Any replaces a missing one. That of the result may be unresolvable."""
    inner = inspect.unwrap(function)
    names = _annotations(inner).keys() - {RESULT}
    hints = _hints(inner, names)
    return [each.replace(annotation=hints.get(name, Any)) for name, each in _signature(function).parameters.items()]


def result(function: Callable[..., Any]) -> Any:
    """The resolved annotation of the result; Any if there is none. Raises an error of any kind: it has no meaning."""
    return _hints(inspect.unwrap(function), {RESULT}).get(RESULT, Any)


def _hints(function: Callable[..., Any], names: Set[str]) -> Mapping[str, Any]:
    attributes = {
        **getattr(function, "__dict__", {}),
        "__type_params__": getattr(function, "__type_params__", ()),
        "__annotations__": {name: each for name, each in _annotations(function).items() if name in names},
    }
    return get_type_hints(
        types.SimpleNamespace(**attributes), getattr(function, "__globals__", {}), include_extras=True
    )


if sys.version_info >= (3, 14):  # Annotations are evaluated when they are asked for, those of the result too.
    from annotationlib import Format, get_annotations

    def _annotations(function: Callable[..., Any]) -> Mapping[str, Any]:
        return get_annotations(function, format=Format.FORWARDREF)

    def _signature(function: Callable[..., Any]) -> inspect.Signature:
        return inspect.signature(function, annotation_format=Format.FORWARDREF)

else:

    def _annotations(function: Callable[..., Any]) -> Mapping[str, Any]:
        return getattr(function, "__annotations__", {})

    _signature = inspect.signature
