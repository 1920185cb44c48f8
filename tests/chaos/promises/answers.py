"""Promises about the answers of the API."""

from collections.abc import Iterator, Mapping

from tests.chaos.circumstances import Circumstances
from tests.chaos.history import FINAL, Request, TaskHistory

CODES: Mapping[str, frozenset[int]] = {
    "submit": frozenset({201, 503}),
    "submit_keyed": frozenset({200, 201, 503}),
    "submit_many": frozenset({201, 422, 503}),
    "create_batch": frozenset({201, 422, 503}),
    "add_to_batch": frozenset({201, 404, 409, 422, 503}),
    "close_batch": frozenset({200, 404, 503}),
    "view_batch": frozenset({200, 404, 503}),
    "list": frozenset({200, 503}),
    "view": frozenset({200, 404, 503}),
    "cancel": frozenset({200, 404, 409, 503}),
    "retry": frozenset({200, 404, 409, 503}),
    "delete": frozenset({204, 404, 409, 503}),
}
CHANGES: Mapping[str, tuple[int, ...]] = {"cancel": (200,), "retry": (200,), "delete": (204,)}


def every_answer_has_a_status_of_the_contract(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    for request in task.requests:
        if wrong := wrong_answer(request):
            yield wrong


def wrong_answer(request: Request) -> str | None:
    """A sentence where the code of the answer is not one that the contract has for the request."""
    if request.code is None or request.code in CODES[request.verb]:
        return None
    return f"{request.verb} at {request.sent:.3f} was answered with {request.code}"


def an_answered_change_was_written(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    for verb, codes in CHANGES.items():
        moments = [change.moment for change in task.changes if change.verb == verb]
        for request in task.requests_answered(verb, *codes):
            if not any(moment <= request.answered for moment in moments):
                yield f"{verb} was answered with {request.code} at {request.answered:.3f}, but was not written"


def each_retry_is_written_once(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    answered = len(task.requests_answered("retry", 200))
    unknown = sum(request.verb == "retry" and request.is_unknown for request in task.requests)
    unknown += sum(change.is_revival for change in task.changes)
    if not answered <= task.retries <= answered + unknown:
        yield f"{answered} retries were answered with 200, {unknown} are unknown, and {task.retries} were written"


def a_viewed_final_status_was_written(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    for request in task.requests_answered("view", 200):
        if request.seen in FINAL and not any(
            change.new and change.new.status == request.seen and change.moment <= request.answered
            for change in task.changes
        ):
            yield f"it was viewed as {request.seen} at {request.answered:.3f}"


def a_task_viewed_as_done_stays_done(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    views = task.requests_answered("view", 200)
    since = min((request.answered for request in views if request.seen == "done"), default=float("inf"))
    for request in views:
        if request.sent > since and request.seen != "done":
            yield f"it was viewed as {request.seen} at {request.answered:.3f}, after a view as done at {since:.3f}"


PROMISES = (
    every_answer_has_a_status_of_the_contract,
    an_answered_change_was_written,
    each_retry_is_written_once,
    a_viewed_final_status_was_written,
    a_task_viewed_as_done_stays_done,
)
