"""The JSON Schema of NumPy arrays and scalars as results: numbers, and nested lists of them."""

import sys
from typing import Any

from adapters.executors.functions import numpy_annotations
from application.json.schemas import types

Schema = dict[str, Any]

NUMBERS: Schema = {"type": ["number", "null"]}  # null stands for NaN, and for an infinity
_SCALARS: tuple[tuple[str, Schema], ...] = (
    ("bool", {"type": "boolean"}),
    ("datetime64", {"type": ["string", "null"]}),
    ("timedelta64", {"type": ["string", "null"]}),
    ("integer", {"type": "integer"}),
    ("floating", NUMBERS),
    ("str_", {"type": "string"}),
)
"""The schemas of scalars by their types, whose subtypes have the same unless they come before."""


def array_schema(annotation: Any) -> Schema:
    """The schema of arrays: of numbers where the annotation does not say of what."""
    scalar, dimensions = numpy_annotations.scalar(annotation), numpy_annotations.dimensions(annotation)
    items = scalar_schema(scalar) if _is_specific(scalar) else NUMBERS
    if dimensions is None:
        # Lists in lists may be of any depth, which generators of clients do not understand.
        return {"type": "array", "items": {"type": [*types(items), "array"]} if items else {}}
    for _ in range(dimensions):
        items = {"type": "array", "items": items}
    return items


def scalar_schema(scalar: type) -> Schema:
    """The schema of scalars of a type of NumPy; one that allows anything of those without a form in JSON."""
    numpy = sys.modules["numpy"]
    return next((schema for name, schema in _SCALARS if issubclass(scalar, getattr(numpy, name, ()))), {})


def _is_specific(scalar: Any) -> bool:
    """Whether it says more than that there are numbers, or anything."""
    numpy = sys.modules["numpy"]
    return scalar is not None and scalar not in (numpy.generic, numpy.number, numpy.inexact)
