"""Reports of a child on its functions and runs, packed as frames. The supervisor reads them in `parsing.py`."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from adapters.executors.functions.failures import storable
from adapters.executors.process.ipc.frames import Kind
from adapters.executors.process.ipc.log import Printed
from adapters.executors.process.ipc.parsing import PRINTED, SPAN
from application.ports.executor import Span
from domain.failure import Failure
from domain.task_type import TaskType

MAX_LEFTOVER_CHARACTERS = 500
Report = tuple[Kind, int, bytes]
"""The kind of a frame, the number of its run, and its payload."""


def pack_types(types: Sequence[TaskType]) -> Report:
    """The report that these types can be run."""
    return Kind.DESCRIBED, 0, json.dumps([asdict(each) for each in types]).encode()


def pack_last_run(leftover: str) -> Report:
    """The report that the run whose outcome comes next is the last one, and why, if its function is the reason."""
    return Kind.LAST_RUN, 0, storable(leftover, MAX_LEFTOVER_CHARACTERS).encode()


def pack_log(run: int, printed: Printed) -> Report:
    """The report that the run has printed this."""
    return Kind.LOG, run, PRINTED.pack(printed.end, printed.is_whole) + printed.tail


def pack_outcome(run: int, span: Span, outcome: str | Failure) -> Report:
    """The report when the function of the run went on, and that it returned this JSON text or failed."""
    if isinstance(outcome, Failure):
        return Kind.FAILED, run, SPAN.pack(*span) + json.dumps(asdict(outcome)).encode()
    return Kind.SUCCEEDED, run, SPAN.pack(*span) + outcome.encode()
