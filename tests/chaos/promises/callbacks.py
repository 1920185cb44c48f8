"""Promises about callbacks: each finish is called at least once, and seldom again after that was acknowledged."""

from collections.abc import Iterator

from tests.chaos.circumstances import Circumstances
from tests.chaos.history import TaskHistory

MAX_REPEATS = 4
"""Calls after one that was acknowledged: each needs a janitor that could not record the acknowledgement."""


def every_finish_is_called(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    """Unless the finish was undone by a retry, or the task was deleted, before the call."""
    event = task.last.event(task.id) if task.last and task.is_there else None
    if event and not any(call.event == event and call.is_acknowledged for call in task.calls):
        times = sum(call.event == event for call in task.calls)
        yield f"the callback of event {event} was called {times} times, and acknowledged not once"


def an_acknowledged_call_is_seldom_repeated(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    for event in {call.event for call in task.calls}:
        calls = sorted((call for call in task.calls if call.event == event), key=lambda call: call.moment)
        first = next((number for number, call in enumerate(calls) if call.is_acknowledged), len(calls))
        if (repeats := len(calls) - first - 1) > MAX_REPEATS:
            yield f"event {event} was called {repeats} times after it was acknowledged"


PROMISES = (every_finish_is_called, an_acknowledged_call_is_seldom_repeated)
