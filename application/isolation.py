"""Isolation: one item that fails is set aside, and its neighbours go on."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from application.errors import StatementRefused, StorageUnavailable
from application.log_lines import keys

ONCE = "once"
"""Attribute of a log record whose repetitions the log of the process leaves out."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def isolate(
    items: Sequence[Item],
    act: Callable[[Sequence[Item]], Sequence[Result]],
    set_aside: Callable[[Item, Exception], Sequence[Result]],
) -> Sequence[Result]:
    """Act on all items together, or on half of them after a failure, until the one that fails is found and set aside.

    `act` changes nothing where it raises.

    Raises StorageUnavailable, a conflict included, and StatementRefused: those are no fault of an item.
    """
    if not items:
        return []
    try:
        return act(items)
    except (StorageUnavailable, StatementRefused):
        raise
    except Exception as error:
        if len(items) == 1:
            return set_aside(items[0], error)
    middle = len(items) // 2
    return [*isolate(items[:middle], act, set_aside), *isolate(items[middle:], act, set_aside)]


def log_once(log: logging.Logger, message: str, error: Exception | None = None, **values: object) -> None:
    """Log a warning that a row causes again and again, with the stack of its error if there is one, and with keys.

    The log of the process shows the first of equal ones.
    """
    log.warning(message, exc_info=error, extra={ONCE: True, **keys(**values)})
