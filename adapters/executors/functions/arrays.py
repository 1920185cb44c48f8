"""NumPy arrays as arguments: lists of numbers in JSON, arrays for the function. Never imports NumPy itself."""

import sys
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin

from pydantic import GetPydanticSchema
from pydantic_core import PydanticCustomError, core_schema


def is_array(annotation: Any) -> bool:
    """Whether the annotation is `np.ndarray`, `npt.NDArray[np.float64]` or the like."""
    numpy = sys.modules.get("numpy")
    resolved = _resolved(annotation)
    return numpy is not None and (get_origin(resolved) or resolved) is numpy.ndarray


def array_for_pydantic(annotation: Any) -> Any:
    """The annotation by which pydantic converts lists, nested or not, to such an array."""
    numpy = sys.modules["numpy"]
    dtype = numpy.dtype(_scalar(annotation) or float)
    item = {"b": "boolean", "i": "integer", "u": "integer"}.get(dtype.kind, "number")
    schema = core_schema.no_info_plain_validator_function(_converter(numpy, dtype if _scalar(annotation) else None))
    json_schema = {"type": "array", "items": {"type": [item, "array"]}}
    return Annotated[Any, GetPydanticSchema(lambda _source, _handler: schema, lambda _schema, _handler: json_schema)]


def _resolved(annotation: Any) -> Any:
    """The annotation behind a `type` statement; newer versions of NumPy define NDArray by one."""
    while hasattr(annotation, "__value__"):
        parts, annotation = get_args(annotation), annotation.__value__
        annotation = annotation[parts] if parts else annotation
    return annotation


def _scalar(annotation: Any) -> Any:
    """The NumPy type of the items; None where it is not named, or is abstract like `np.floating`."""
    scalar = next((get_args(each)[0] for each in get_args(_resolved(annotation))[1:] if get_args(each)), None)
    return scalar if isinstance(scalar, type) and not scalar.__subclasses__() else None


def _converter(numpy: Any, dtype: Any) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        try:
            inferred = numpy.asarray(value)
            array = numpy.asarray(value, dtype)
        except (ValueError, TypeError, OverflowError) as error:
            raise PydanticCustomError("array", "{why}", {"why": str(error)}) from None
        exact = array.dtype.kind not in "iub" or numpy.array_equal(array, inferred)
        if not isinstance(value, list) or inferred.dtype.kind not in "biuf" or not exact:
            raise PydanticCustomError("array", "Input should be an array of {of}", {"of": str(dtype or "numbers")})
        return array

    return convert
