"""NumPy in annotations: which of them are arrays, and of what. Never imports NumPy itself."""

import sys
from typing import Any, get_args, get_origin


def is_array(annotation: Any) -> bool:
    """Whether the annotation is `np.ndarray`, `npt.NDArray[np.float64]` or the like."""
    numpy = sys.modules.get("numpy")
    resolved = _resolved(annotation)
    return numpy is not None and (get_origin(resolved) or resolved) is numpy.ndarray


def scalar(annotation: Any) -> Any:
    """The NumPy type of the items of an array, which may be abstract as `np.floating`; None where it is not named."""
    found = next((get_args(each)[0] for each in get_args(_resolved(annotation))[1:] if get_args(each)), None)
    return found if isinstance(found, type) else None


def dimensions(annotation: Any) -> int | None:
    """The number of dimensions of an array, as in `np.ndarray[tuple[int, int], …]`; None where it is not said."""
    shape = next(iter(get_args(_resolved(annotation))), None)
    sides = get_args(shape)
    return len(sides) if get_origin(shape) is tuple and sides and Ellipsis not in sides else None


def _resolved(annotation: Any) -> Any:
    """The annotation behind a `type` statement; newer versions of NumPy define NDArray by one."""
    while hasattr(annotation, "__value__"):
        parts, annotation = get_args(annotation), annotation.__value__
        annotation = annotation[parts] if parts else annotation
    return annotation
