"""NumPy arrays as arguments: lists of numbers in JSON, arrays for the function. Never imports NumPy itself."""

import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import GetPydanticSchema
from pydantic_core import PydanticCustomError, core_schema

from adapters.executors.functions import numpy_annotations
from application.json.arrays import KEYWORD, MAX_DOUBLE, is_array


def array_for_pydantic(annotation: Any) -> Any:
    """The annotation by which pydantic converts lists, nested or not, to such an array."""
    numpy = sys.modules["numpy"]
    dtype = numpy.dtype(_scalar(annotation) or float)
    item = _item(numpy, dtype)
    converter = _converter(numpy, dtype if _scalar(annotation) else None, item)
    schema = core_schema.no_info_plain_validator_function(converter)
    json_schema = {"type": "array", "items": {"type": [item["type"], "array"]}, KEYWORD: item}
    return Annotated[Any, GetPydanticSchema(lambda _source, _handler: schema, lambda _schema, _handler: json_schema)]


def _scalar(annotation: Any) -> Any:
    """The NumPy type of the items; None where it is not named, or is abstract like `np.floating`."""
    named = numpy_annotations.scalar(annotation)
    return named if named and not named.__subclasses__() else None


def _item(numpy: Any, dtype: Any) -> dict[str, Any]:
    """The type and the bounds of the numbers that fit."""
    match dtype.kind:
        case "b":
            return {"type": "boolean"}
        case "i" | "u":
            return {"type": "integer", **_bounds(numpy.iinfo(dtype), int)}
        case "f" if dtype.itemsize <= 8:
            return {"type": "number", **_bounds(numpy.finfo(dtype), float)}
    return {"type": "number", "minimum": -MAX_DOUBLE, "maximum": MAX_DOUBLE}


def _bounds(limits: Any, number: Callable[[Any], Any]) -> dict[str, Any]:
    return {"minimum": number(limits.min), "maximum": number(limits.max)}


def _converter(numpy: Any, dtype: Any, item: Mapping[str, Any]) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if not is_array(value, item):
            of = {"of": str(dtype or "numbers")}
            raise PydanticCustomError("array", "Input should be an array of {of}, in lists of equal lengths", of)
        array = numpy.asarray(value, dtype)
        return array if array.dtype.kind != "O" else array.astype(float)

    return convert
