"""What a client is told is so."""

from collections.abc import Iterator, Mapping

from tests.chaos.circumstances import Circumstances
from tests.chaos.history import FINAL, Request, TaskHistory

CODES: Mapping[str, frozenset[int]] = {
    "submit": frozenset({201, 503}),
    "view": frozenset({200, 404, 503}),
    "cancel": frozenset({200, 404, 409, 503}),
    "retry": frozenset({200, 404, 409, 503}),
    "delete": frozenset({204, 404, 409, 503}),
}
CHANGES: Mapping[str, tuple[int, ...]] = {"cancel": (200,), "retry": (200,), "delete": (204,)}


def every_answer_is_one_that_the_contract_has(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    for request in task.requests:
        if wrong := wrong_answer(request):
            yield wrong


def wrong_answer(request: Request) -> str | None:
    """A sentence where the code of the answer is none that is to be expected."""
    if request.code is None or request.code in CODES[request.verb]:
        return None
    return f"{request.verb} at {request.asked:.3f} was answered with {request.code}"


def what_was_answered_has_happened(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    for verb, codes in CHANGES.items():
        moments = [change.moment for change in task.changes if change.verb == verb]
        for request in task.asked(verb, *codes):
            if not any(moment <= request.answered for moment in moments):
                yield f"{verb} was answered with {request.code} at {request.answered:.3f}, and nobody wrote it"


def each_retry_starts_it_over_once(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    answered = len(task.asked("retry", 200))
    unknown = sum(request.verb == "retry" and request.is_unknown for request in task.requests)
    if not answered <= task.retries <= answered + unknown:
        yield f"{answered} retries were answered with 200, {unknown} with nothing, and {task.retries} were written"


def what_a_client_saw_was_written(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    for request in task.asked("view", 200):
        if request.seen in FINAL and not any(
            change.new and change.new.status == request.seen and change.moment <= request.answered
            for change in task.changes
        ):
            yield f"it was seen as {request.seen} at {request.answered:.3f}"


def what_was_seen_as_done_is_done_from_then_on(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    views = task.asked("view", 200)
    since = min((request.answered for request in views if request.seen == "done"), default=float("inf"))
    for request in views:
        if request.asked > since and request.seen != "done":
            yield f"it was seen as {request.seen} at {request.answered:.3f}, after it was seen as done at {since:.3f}"


PROMISES = (
    every_answer_is_one_that_the_contract_has,
    what_was_answered_has_happened,
    each_retry_starts_it_over_once,
    what_a_client_saw_was_written,
    what_was_seen_as_done_is_done_from_then_on,
)
